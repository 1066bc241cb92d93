package template

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// object reads one mapping property by property; whatever was not asked for by the time of done is an error.
type object struct {
	r       *reader
	node    *yaml.Node
	at      string
	keys    []string
	values  map[string]*yaml.Node
	known   []string
	present bool
	dropped bool // the node was not a mapping: reported already
}

// object opens a mapping. A missing node gives an object without properties.
func (r *reader) object(n *yaml.Node, at string) *object {
	o := &object{r: r, node: n, at: at, values: map[string]*yaml.Node{}}
	n = r.resolve(n, at)
	if n == nil {
		return o
	}
	o.node, o.present = n, true
	if n.Kind != yaml.MappingNode {
		r.fail(n, at, "must be a mapping")
		o.dropped = true
		return o
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if _, twice := o.values[key]; twice {
			r.fail(n.Content[i], at, "%s stands here twice", key)
			continue
		}
		o.keys = append(o.keys, key)
		o.values[key] = n.Content[i+1]
	}
	return o
}

func (o *object) path(name string) string { return o.at + "." + name }

// take returns the property as written, nil when it is absent.
func (o *object) take(name string) *yaml.Node {
	o.known = append(o.known, name)
	return o.values[name]
}

// ignore accepts properties without looking at their contents.
func (o *object) ignore(names ...string) { o.known = append(o.known, names...) }

// value returns the property with its intrinsic functions resolved, nil when it is absent or AWS::NoValue.
func (o *object) value(name string) *yaml.Node { return o.r.resolve(o.take(name), o.path(name)) }

// object opens a property that is a mapping; errors about an absent one name this object's line.
func (o *object) object(name string) *object {
	child := o.r.object(o.take(name), o.path(name))
	if child.node == nil {
		child.node = o.node
	}
	return child
}

func (o *object) text(name, otherwise string) string {
	n := o.value(name)
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.ScalarNode {
		o.r.fail(n, o.path(name), "must be a text")
		return otherwise
	}
	return n.Value
}

// required is text that must be there.
func (o *object) required(name string) string {
	s := o.text(name, "")
	if s == "" && !o.dropped {
		o.r.fail(o.node, o.at, "%s is missing", name)
	}
	return s
}

// choice is text that must be one of the given; the first is what an absent property means.
func (o *object) choice(name string, choices ...string) string {
	s := o.text(name, choices[0])
	if !slices.Contains(choices, s) {
		o.r.fail(o.values[name], o.path(name), "%q is not supported (supported: %s)", s, strings.Join(choices, ", "))
	}
	return s
}

// limits of a whole number.
type limits struct{ from, to int }

func (o *object) number(name string, otherwise int, l limits) int {
	n := o.value(name)
	if n == nil {
		return otherwise
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		o.r.fail(n, o.path(name), "must be a whole number")
		return otherwise
	}
	if v < l.from || v > l.to {
		o.r.fail(n, o.path(name), "%d is outside %d to %d", v, l.from, l.to)
	}
	return v
}

func (o *object) decimal(name string) float64 {
	n := o.value(name)
	if n == nil {
		return 0
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		o.r.fail(n, o.path(name), "must be a number, 0 or more")
		return 0
	}
	return v
}

func (o *object) flag(name string, otherwise bool) bool {
	n := o.value(name)
	if n == nil {
		return otherwise
	}
	v, err := strconv.ParseBool(strings.ToLower(n.Value))
	if n.Kind != yaml.ScalarNode || err != nil {
		o.r.fail(n, o.path(name), "must be true or false")
		return otherwise
	}
	return v
}

// list returns the items, without those that are AWS::NoValue.
func (o *object) list(name string) []*yaml.Node {
	n := o.value(name)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.r.fail(n, o.path(name), "must be a list")
		return nil
	}
	var items []*yaml.Node
	for i, item := range n.Content {
		if v := o.r.resolve(item, o.path(name)+"["+strconv.Itoa(i)+"]"); v != nil {
			items = append(items, v)
		}
	}
	return items
}

func (o *object) texts(name string) []string {
	var texts []string
	for _, item := range o.list(name) {
		if item.Kind != yaml.ScalarNode {
			o.r.fail(item, o.path(name), "must be a list of texts")
			continue
		}
		texts = append(texts, item.Value)
	}
	return texts
}

// objects opens each item of a list.
func (o *object) objects(name string) []*object {
	var all []*object
	for i, item := range o.list(name) {
		all = append(all, o.r.object(item, o.path(name)+"["+strconv.Itoa(i)+"]"))
	}
	return all
}

// done reports every property that nothing asked for.
func (o *object) done() {
	for _, key := range o.keys {
		if !slices.Contains(o.known, key) {
			supported := slices.Clone(o.known)
			slices.Sort(supported)
			o.r.fail(o.values[key], o.path(key), "not supported by the local runner (supported here: %s)",
				strings.Join(slices.Compact(supported), ", "))
		}
	}
}
