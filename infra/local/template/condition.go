package template

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// condition is one entry of Conditions, evaluated when first asked for.
type condition struct {
	node    *yaml.Node
	state   int // of evaluation
	outcome bool
}

const (
	unknown = iota
	asking
	known
)

func (r *reader) readConditions(o *object) {
	for _, name := range o.keys {
		r.conditions[name] = &condition{node: o.take(name)}
	}
	for _, name := range o.keys {
		r.holds(name, o.values[name], o.path(name))
	}
}

// holds tells whether the named condition is true; a missing or circular one is reported and false.
func (r *reader) holds(name string, n *yaml.Node, at string) bool {
	c, ok := r.conditions[name]
	if !ok {
		r.fail(n, at, "there is no condition %q", name)
		return false
	}
	switch c.state {
	case known:
		return c.outcome
	case asking:
		r.fail(n, at, "condition %s refers to itself", name)
		return false
	}
	c.state = asking
	c.outcome = r.test(c.node, "Conditions."+name)
	c.state = known
	return c.outcome
}

// test evaluates a condition function.
func (r *reader) test(n *yaml.Node, at string) bool {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		return r.holds(n.Content[1].Value, n, at)
	}
	c, is := r.intrinsic(n, at)
	if !is || strings.Count(at, " → ") > maxDepth {
		r.fail(n, at, "must be one of Fn::Equals, Fn::Not, Fn::And, Fn::Or, Condition")
		return false
	}
	if c.name == "Condition" {
		return r.holds(c.arg.Value, c.arg, c.at)
	}
	if c.arg.Kind != yaml.SequenceNode {
		c.fail("must be a list")
		return false
	}
	args := c.arg.Content
	switch {
	case c.name == "Fn::Equals" && len(args) == 2:
		a, b := r.resolve(args[0], c.at), r.resolve(args[1], c.at)
		return a != nil && b != nil && a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value == b.Value
	case c.name == "Fn::Not" && len(args) == 1:
		return !r.test(args[0], c.at)
	case c.name == "Fn::And" && len(args) >= 2:
		all := true
		for _, arg := range args {
			all = r.test(arg, c.at) && all
		}
		return all
	case c.name == "Fn::Or" && len(args) >= 2:
		any := false
		for _, arg := range args {
			any = r.test(arg, c.at) || any
		}
		return any
	}
	c.fail("must be Fn::Equals of two values, Fn::Not of one condition, Fn::And or Fn::Or of several, or Condition")
	return false
}
