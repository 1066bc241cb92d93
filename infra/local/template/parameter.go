package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// pseudo is the value of a pseudo parameter.
func (r *reader) pseudo(name string) (string, bool) {
	switch name {
	case "AWS::Region":
		return r.options.Region, true
	case "AWS::Partition":
		return "aws", true
	case "AWS::AccountId":
		return AccountID, true
	case "AWS::StackName":
		return r.options.StackName, true
	case "AWS::StackId":
		return "arn:aws:cloudformation:" + r.options.Region + ":" + AccountID + ":stack/" + r.options.StackName + "/local", true
	case "AWS::URLSuffix":
		return "amazonaws.com", true
	}
	return "", false
}

func (r *reader) readParameters(o *object) {
	for _, name := range o.keys {
		r.readParameter(name, r.object(o.take(name), o.path(name)))
	}
	for name := range r.options.Parameters {
		if !slices.Contains(o.keys, name) {
			r.fail(o.node, o.at, "there is no parameter %q to set (there are: %s)", name, strings.Join(o.keys, ", "))
		}
	}
}

func (r *reader) readParameter(name string, o *object) {
	kind := o.choice("Type", "String", "Number", "CommaDelimitedList", "List<Number>")
	o.ignore("Description", "NoEcho", "ConstraintDescription")
	standard := o.value("Default")
	p := parameter{at: o.at, node: o.node, allowed: o.texts("AllowedValues"), pattern: o.text("AllowedPattern", "")}
	for _, bound := range []string{"MinLength", "MaxLength", "MinValue", "MaxValue"} {
		if o.value(bound) != nil {
			p.bounds = append(p.bounds, bound)
			p.limits = append(p.limits, o.decimal(bound))
		}
	}
	o.done()
	value, set := r.options.Parameters[name]
	if !set {
		value, set = r.options.Defaults[name]
	}
	if !set {
		if standard == nil {
			r.fail(o.node, o.at, "has no default, and no value was given")
			return
		}
		value = standard.Value
	}
	list := kind != "String" && kind != "Number"
	parts := []string{value}
	if list {
		parts = strings.Split(value, ",")
	}
	node := &yaml.Node{Kind: yaml.SequenceNode, Line: o.node.Line}
	for _, part := range parts {
		if list {
			part = strings.TrimSpace(part)
		}
		p.check(r, part, strings.Contains(kind, "Number"))
		node.Content = append(node.Content, scalar(part, o.node))
	}
	if !list {
		node = node.Content[0]
	}
	r.parameters[name] = node
}

// parameter is what a value of a parameter must satisfy.
type parameter struct {
	at      string
	node    *yaml.Node
	allowed []string
	pattern string
	bounds  []string  // MinLength, …
	limits  []float64 // of each bound
}

func (p parameter) check(r *reader, value string, numeric bool) {
	number, err := strconv.ParseFloat(value, 64)
	if numeric && err != nil {
		r.fail(p.node, p.at, "%q is not a number", value)
		return
	}
	if len(p.allowed) > 0 && !slices.Contains(p.allowed, value) {
		r.fail(p.node, p.at, "%q is not one of %s", value, strings.Join(p.allowed, ", "))
	}
	if p.pattern != "" {
		// CloudFormation matches the whole value; RE2 takes the patterns in use (no look-around).
		re, err := regexp.Compile(`^(?:` + p.pattern + `)$`)
		if err != nil {
			r.fail(p.node, p.at+".AllowedPattern", "%v", err)
		} else if !re.MatchString(value) {
			r.fail(p.node, p.at, "%q does not match %s", value, p.pattern)
		}
	}
	for i, bound := range p.bounds {
		measured := number
		if strings.HasSuffix(bound, "Length") {
			measured = float64(len([]rune(value)))
		}
		if strings.HasPrefix(bound, "Min") && measured < p.limits[i] || strings.HasPrefix(bound, "Max") && measured > p.limits[i] {
			r.fail(p.node, p.at, "%q breaks %s %v", value, bound, p.limits[i])
		}
	}
}

// readGlobals keeps the properties that functions and APIs share, as written: each resource resolves them itself.
func (r *reader) readGlobals(o *object) {
	r.globals = map[string]*yaml.Node{"Function": o.take("Function"), "HttpApi": o.take("HttpApi")}
	o.done()
}

// withGlobals merges like the SAM transform: maps are merged, lists joined (global first), anything else is replaced.
func (r *reader) withGlobals(section string, own *yaml.Node) *yaml.Node {
	return merge(r.globals[section], own)
}

func merge(global, own *yaml.Node) *yaml.Node {
	switch {
	case global == nil:
		return own
	case own == nil:
		return global
	case isFunction(global) || isFunction(own) || global.Kind != own.Kind || own.Kind == yaml.ScalarNode:
		return own
	}
	merged := *own
	if own.Kind == yaml.SequenceNode {
		merged.Content = slices.Concat(global.Content, own.Content)
		return &merged
	}
	merged.Content = slices.Clone(own.Content)
	for i := 0; i+1 < len(global.Content); i += 2 {
		at := keyIndex(&merged, global.Content[i].Value)
		if at < 0 {
			merged.Content = append(merged.Content, global.Content[i], global.Content[i+1])
			continue
		}
		merged.Content[at+1] = merge(global.Content[i+1], merged.Content[at+1])
	}
	return &merged
}

func keyIndex(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// isFunction recognises an intrinsic function, which no merge may look into.
func isFunction(n *yaml.Node) bool {
	short := strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
	long := n.Kind == yaml.MappingNode && len(n.Content) == 2 && (n.Content[0].Value == "Ref" || strings.HasPrefix(n.Content[0].Value, "Fn::"))
	return short || long
}
