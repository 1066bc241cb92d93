package template

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxDepth bounds nested intrinsic functions; real ones nest three deep.
const maxDepth = 50

// intrinsics are the functions that resolve knows, by their long names.
func intrinsics() map[string]func(call) *yaml.Node {
	return map[string]func(call) *yaml.Node{
		"Ref": call.ref, "Fn::GetAtt": call.getAtt, "Fn::Sub": call.sub, "Fn::Join": call.join, "Fn::If": call.choose,
		"Fn::Equals": call.logic, "Fn::Not": call.logic, "Fn::And": call.logic, "Fn::Or": call.logic,
	}
}

const supportedIntrinsics = "Ref, Fn::GetAtt, Fn::Sub, Fn::Join, Fn::If, and in conditions Fn::Equals, Fn::Not, Fn::And, Fn::Or, Condition"

// call is one use of an intrinsic function.
type call struct {
	r    *reader
	name string
	arg  *yaml.Node
	at   string
}

// resolve replaces an intrinsic function, an alias or a dynamic reference by its value. It returns nil for a node that
// is absent, AWS::NoValue, or wrong (which it has reported).
func (r *reader) resolve(n *yaml.Node, at string) *yaml.Node {
	if strings.Count(at, " → ") > maxDepth {
		r.fail(n, at[:strings.Index(at, " → ")], "functions are nested more than %d deep", maxDepth)
		return nil
	}
	if n == nil {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		r.fail(n, at, "YAML aliases are not supported by the local runner (CloudFormation does not take them everywhere either)")
		return nil
	}
	c, is := r.intrinsic(n, at)
	if is {
		apply, known := intrinsics()[c.name]
		if !known {
			r.fail(n, at, "function %s is not supported by the local runner (supported: %s)", c.name, supportedIntrinsics)
			return nil
		}
		n = apply(c)
	}
	if n != nil && n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "{{resolve:") {
		return r.dynamic(n, at)
	}
	return n
}

// intrinsic recognises the short form (a tag) and the long form (a mapping with one key).
func (r *reader) intrinsic(n *yaml.Node, at string) (call, bool) {
	name, arg := "", n
	switch {
	case strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		name = strings.TrimPrefix(n.Tag, "!")
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		plain := *n
		plain.Tag = ""
		arg = &plain
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 &&
		(n.Content[0].Value == "Ref" || strings.HasPrefix(n.Content[0].Value, "Fn::")):
		name, arg = n.Content[0].Value, n.Content[1]
	default:
		return call{}, false
	}
	return call{r: r, name: name, arg: arg, at: at + " → " + name}, true
}

func (c call) fail(format string, args ...any) *yaml.Node {
	c.r.fail(c.arg, c.at, format, args...)
	return nil
}

// scalar is a value that stands where like stands, so that later errors name that line.
func scalar(value string, like *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: value, Line: like.Line, Column: like.Column}
}

func (c call) ref() *yaml.Node {
	if c.arg.Kind != yaml.ScalarNode {
		return c.fail("must be a name")
	}
	return c.named(c.arg.Value)
}

// named is the value of a parameter, pseudo parameter or resource.
func (c call) named(name string) *yaml.Node {
	if name == "AWS::NoValue" {
		return nil
	}
	if v, ok := c.r.pseudo(name); ok {
		return scalar(v, c.arg)
	}
	if v, ok := c.r.parameters[name]; ok {
		return v
	}
	res, ok := c.resource(name)
	if !ok {
		return nil
	}
	v, ok := c.r.local(res, "Ref")
	if !ok {
		return c.fail("%s (%s) has no local value", name, res.kind)
	}
	return scalar(v, c.arg)
}

func (c call) resource(name string) (*resource, bool) {
	res, ok := c.r.resources[name]
	if !ok {
		c.fail("there is no parameter or resource %q", name)
		return nil, false
	}
	if !c.r.exists(res) {
		c.fail("%s does not exist: its condition %s does not hold", name, res.condition)
		return nil, false
	}
	return res, true
}

func (c call) getAtt() *yaml.Node {
	name, attribute := "", ""
	switch {
	case c.arg.Kind == yaml.ScalarNode:
		name, attribute, _ = strings.Cut(c.arg.Value, ".")
	case c.arg.Kind == yaml.SequenceNode && len(c.arg.Content) == 2:
		name, attribute = c.arg.Content[0].Value, c.arg.Content[1].Value
	}
	if name == "" || attribute == "" {
		return c.fail("must be resource.attribute")
	}
	return c.attribute(name, attribute)
}

func (c call) attribute(name, attribute string) *yaml.Node {
	res, ok := c.resource(name)
	if !ok {
		return nil
	}
	v, ok := c.r.local(res, attribute)
	if !ok {
		return c.fail("attribute %s of %s (%s) has no local value", attribute, name, res.kind)
	}
	return scalar(v, c.arg)
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

func (c call) sub() *yaml.Node {
	text, extra := c.arg, map[string]*yaml.Node{}
	if c.arg.Kind == yaml.SequenceNode && len(c.arg.Content) == 2 {
		text = c.arg.Content[0]
		o := c.r.object(c.arg.Content[1], c.at)
		for _, key := range o.keys {
			extra[key] = o.value(key)
		}
	}
	if text.Kind != yaml.ScalarNode {
		return c.fail("must be a text, or a text and its values")
	}
	whole := true
	value := placeholder.ReplaceAllStringFunc(text.Value, func(match string) string {
		name := match[2 : len(match)-1]
		if strings.HasPrefix(name, "!") {
			return "${" + name[1:] + "}"
		}
		v := c.substitute(strings.TrimSpace(name), extra)
		if v == nil || v.Kind != yaml.ScalarNode {
			whole = false
			return ""
		}
		return v.Value
	})
	if !whole {
		if len(c.r.problems) == 0 {
			c.fail("a value is not a text")
		}
		return nil
	}
	return scalar(value, text)
}

func (c call) substitute(name string, extra map[string]*yaml.Node) *yaml.Node {
	if v, ok := extra[name]; ok {
		return v
	}
	if id, attribute, ok := strings.Cut(name, "."); ok {
		return c.attribute(id, attribute)
	}
	return c.named(name)
}

func (c call) join() *yaml.Node {
	if c.arg.Kind != yaml.SequenceNode || len(c.arg.Content) != 2 || c.arg.Content[0].Kind != yaml.ScalarNode {
		return c.fail("must be a separator and a list")
	}
	list := c.r.resolve(c.arg.Content[1], c.at)
	if list == nil || list.Kind != yaml.SequenceNode {
		return c.fail("must be a separator and a list")
	}
	var parts []string
	for _, item := range list.Content {
		v := c.r.resolve(item, c.at)
		if v == nil || v.Kind != yaml.ScalarNode {
			return c.fail("every item must be a text")
		}
		parts = append(parts, v.Value)
	}
	return scalar(strings.Join(parts, c.arg.Content[0].Value), c.arg)
}

func (c call) choose() *yaml.Node {
	if c.arg.Kind != yaml.SequenceNode || len(c.arg.Content) != 3 {
		return c.fail("must be a condition and two values")
	}
	branch := c.arg.Content[2]
	if c.r.holds(c.arg.Content[0].Value, c.arg, c.at) {
		branch = c.arg.Content[1]
	}
	return c.r.resolve(branch, c.at)
}

func (c call) logic() *yaml.Node { return c.fail("stands only in Conditions") }
