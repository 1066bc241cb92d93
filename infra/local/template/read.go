package template

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of CloudFormation itself (quotas: template body in S3, resources).
const (
	maxBytes     = 1 << 20
	maxResources = 500
	maxErrors    = 20 // more than this in one list helps nobody
)

// Options say what is not in the template.
type Options struct {
	Parameters map[string]string // in place of the defaults
	Defaults   map[string]string // likewise, but only where the template has the parameter
	Region     string            // empty: us-east-1
	StackName  string            // empty: yundian; names that the template does not give start with it
	// Secret returns the value of a secret that a {{resolve:secretsmanager:…}} reference names.
	Secret func(Secret) (string, error)
}

// AccountID is the account that local ARNs name.
const AccountID = "000000000000"

// Read reads the template file at path. Every error names the file, the line and the path inside the template.
func Read(path string, o Options) (*Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	if info.Size() > maxBytes {
		return nil, fmt.Errorf("read template: %s has %d bytes, the limit is %d", path, info.Size(), maxBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return Parse(data, path, o)
}

// Parse is Read with the file's contents at hand; code folders are relative to the folder of path.
func Parse(data []byte, path string, o Options) (*Model, error) {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.StackName == "" {
		o.StackName = "yundian"
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("find the folder of template %s: %w", path, err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: not a template: it must be a mapping", path)
	}
	r := &reader{file: path, folder: folder, options: o, model: &Model{},
		parameters: map[string]*yaml.Node{}, conditions: map[string]*condition{}, resources: map[string]*resource{}}
	r.root(document.Content[0])
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	return r.model, nil
}

// reader is one reading of one template.
type reader struct {
	file       string
	folder     string
	options    Options
	model      *Model
	parameters map[string]*yaml.Node // resolved values
	conditions map[string]*condition
	resources  map[string]*resource
	order      []string // of resources, as written
	globals    map[string]*yaml.Node
	finishAPI  func() // once routes and API are both read; nil: no API
	problems   []error
}

// resource is one entry of Resources before it is read.
type resource struct {
	id         string
	kind       string
	node       *yaml.Node
	properties *yaml.Node // nil: none
	condition  string
}

// fail records a problem at a node; reading goes on, so that one run shows several.
func (r *reader) fail(n *yaml.Node, at, format string, args ...any) {
	if len(r.problems) == maxErrors {
		r.problems = append(r.problems, fmt.Errorf("%s: further problems are not listed", r.file))
	}
	if len(r.problems) > maxErrors {
		return
	}
	line := 0
	if n != nil {
		line = n.Line
	}
	r.problems = append(r.problems, fmt.Errorf("%s:%d: %s: %s", r.file, line, at, fmt.Sprintf(format, args...)))
}

func (r *reader) root(n *yaml.Node) {
	o := r.object(n, "template")
	o.ignore("AWSTemplateFormatVersion", "Description", "Metadata", "Outputs")
	if t := o.text("Transform", ""); t != "AWS::Serverless-2016-10-31" {
		r.fail(n, "Transform", "must be AWS::Serverless-2016-10-31, is %q", t)
	}
	r.readParameters(o.object("Parameters"))
	r.readConditions(o.object("Conditions"))
	r.readGlobals(o.object("Globals"))
	resources := o.object("Resources")
	o.done()
	if len(resources.keys) > maxResources {
		r.fail(n, "Resources", "%d resources, the limit is %d", len(resources.keys), maxResources)
		return
	}
	for _, id := range resources.keys {
		r.declare(id, resources.take(id))
	}
	for _, id := range r.order {
		r.build(r.resources[id])
	}
	if r.finishAPI != nil {
		r.finishAPI()
	}
	r.crossCheck()
}

func (r *reader) declare(id string, n *yaml.Node) {
	at := "Resources." + id
	o := r.object(n, at)
	o.ignore("DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata")
	res := &resource{id: id, kind: o.text("Type", ""), node: n, properties: o.take("Properties"), condition: o.text("Condition", "")}
	o.done()
	r.resources[id] = res
	r.order = append(r.order, id)
}

// builders read the resource types that mean something on one machine.
func builders() map[string]func(*reader, *resource) {
	return map[string]func(*reader, *resource){
		"AWS::Serverless::Function":   (*reader).buildFunction,
		"AWS::Serverless::HttpApi":    (*reader).buildAPI,
		"AWS::DynamoDB::Table":        (*reader).buildTable,
		"AWS::SecretsManager::Secret": (*reader).buildSecret,
		"AWS::S3::Bucket":             (*reader).buildBucket,
	}
}

// ignored are the resource types without a local meaning: their contents are not interpreted.
var ignored = []string{"AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::IAM::Role", "AWS::IAM::Policy",
	"AWS::IAM::ManagedPolicy", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::Dashboard",
	"AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolDomain", "AWS::Cognito::UserPoolGroup",
	"AWS::Cognito::UserPoolResourceServer", "AWS::S3::BucketPolicy", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy",
	"AWS::SNS::Subscription"}

func (r *reader) build(res *resource) {
	if !r.exists(res) {
		return
	}
	if slices.Contains(ignored, res.kind) {
		r.model.Ignored = append(r.model.Ignored, Ignored{LogicalID: res.id, Type: res.kind})
		return
	}
	builder, ok := builders()[res.kind]
	if !ok {
		r.fail(res.node, "Resources."+res.id+".Type", "resource type %q is not supported by the local runner (supported: %s; ignored: %s)",
			res.kind, strings.Join(supportedTypes(), ", "), strings.Join(ignored, ", "))
		return
	}
	builder(r, res)
}

func supportedTypes() []string {
	return slices.Sorted(maps.Keys(builders()))
}

// exists says whether the resource's condition holds.
func (r *reader) exists(res *resource) bool {
	return res.condition == "" || r.holds(res.condition, res.node, "Resources."+res.id+".Condition")
}

// crossCheck finds what only the whole model shows.
func (r *reader) crossCheck() {
	names := map[string]string{}
	for _, f := range r.model.Functions {
		if other, twice := names[f.Name]; twice {
			r.fail(r.resources[f.LogicalID].node, "Resources."+f.LogicalID+".Properties.CodeUri",
				"folder %s is the code of %s already; the local runner calls a function by its folder", f.Name, other)
		}
		names[f.Name] = f.LogicalID
	}
	routes := map[string]bool{}
	for _, route := range r.model.API.Routes {
		if routes[route.Key()] {
			f, _ := r.model.Function(route.Function)
			r.fail(r.resources[f.LogicalID].node, "Resources."+f.LogicalID+".Properties.Events", "route %s is declared twice", route.Key())
		}
		routes[route.Key()] = true
		if route.Authorizer == "" {
			continue
		}
		if _, err := r.model.API.Authorizer(route.Authorizer); err != nil {
			f, _ := r.model.Function(route.Function)
			r.fail(r.resources[f.LogicalID].node, "Resources."+f.LogicalID+".Properties.Events", "route %s: %v", route.Key(), err)
		}
	}
}
