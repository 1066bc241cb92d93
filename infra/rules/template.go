package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"
)

// object is one mapping of the template. A tag such as !Ref X is read as its long form, {"Ref": "X"}.
type object map[string]any

func (o object) object(key string) object { v, _ := o[key].(object); return v }
func (o object) list(key string) []any    { v, _ := o[key].([]any); return v }
func (o object) text(key string) string   { v, _ := o[key].(string); return v }
func (o object) flag(key string) bool     { v, _ := o[key].(bool); return v }

// texts returns a list of strings, or a single string as a list of one.
func (o object) texts(key string) []string {
	if s := o.text(key); s != "" {
		return []string{s}
	}
	var texts []string
	for _, v := range o.list(key) {
		if s, ok := v.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// keys returns the keys in order, so that complaints come in the same order every time.
func (o object) keys() []string {
	var keys []string
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// template is the parsed infra/template.yaml.
type template struct {
	root      object
	resources object
	source    string
}

// load reads infra/template.yaml of the module that the working directory is in.
func load() (*template, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile(filepath.Join(root, "infra", "template.yaml"))
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return parse(string(source))
}

// moduleRoot walks up from the working directory to the folder that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find go.mod: %w", err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find go.mod: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find go.mod: none above the working directory")
		}
		dir = parent
	}
}

func parse(source string) (*template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(source), &document); err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	if len(document.Content) != 1 {
		return nil, errors.New("parse template: it is empty")
	}
	value, err := read(document.Content[0])
	if err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	root, ok := value.(object)
	if !ok {
		return nil, errors.New("parse template: the top level is not a mapping")
	}
	return &template{root: root, resources: root.object("Resources"), source: source}, nil
}

// longForms are the intrinsic functions that the template may use: those that the local runner resolves.
var longForms = map[string]string{
	"!Ref": "Ref", "!GetAtt": "Fn::GetAtt", "!Sub": "Fn::Sub", "!If": "Fn::If",
	"!Equals": "Fn::Equals", "!Not": "Fn::Not", "!And": "Fn::And", "!Or": "Fn::Or",
}

// read turns a YAML node into object, []any, string, bool, int or float64.
func read(n *yaml.Node) (any, error) {
	if long, ok := longForms[n.Tag]; ok {
		inner := *n
		inner.Tag = ""
		if n.Kind == yaml.ScalarNode {
			inner.Tag = "!!str"
		}
		v, err := read(&inner)
		return object{long: v}, err
	}
	switch n.Kind {
	case yaml.MappingNode:
		return readMapping(n)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			v, err := read(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.ScalarNode:
		if n.Tag != "" && n.Tag[:2] != "!!" {
			return nil, fmt.Errorf("line %d: unknown tag %s", n.Line, n.Tag)
		}
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n.Line, err)
		}
		return v, nil
	default:
		return nil, fmt.Errorf("line %d: aliases are not used in this template", n.Line)
	}
}

func readMapping(n *yaml.Node) (any, error) {
	o := object{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if _, twice := o[key]; twice {
			return nil, fmt.Errorf("line %d: %s stands twice", n.Content[i].Line, key)
		}
		v, err := read(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		o[key] = v
	}
	return o, nil
}

// ofType returns the logical ids of the resources of one type, sorted.
func (t *template) ofType(kind string) []string {
	var ids []string
	for _, id := range t.resources.keys() {
		if t.resources.object(id).text("Type") == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

func (t *template) properties(id string) object { return t.resources.object(id).object("Properties") }
