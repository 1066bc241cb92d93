package template

import (
	"encoding/json"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

func (r *reader) buildSecret(res *resource) {
	r.model.Secrets = append(r.model.Secrets, r.secret(res))
}

func (r *reader) secret(res *resource) Secret {
	o := r.object(res.properties, "Resources."+res.id+".Properties")
	o.ignore("Description", "KmsKeyId", "Tags")
	s := Secret{LogicalID: res.id, Name: o.text("Name", r.options.StackName+"-"+res.id), Value: o.text("SecretString", "")}
	g := o.object("GenerateSecretString")
	o.done()
	if !g.present {
		return s
	}
	s.Generate = &Generate{
		Template:           g.text("SecretStringTemplate", ""),
		Key:                g.text("GenerateStringKey", ""),
		Length:             g.number("PasswordLength", 32, limits{1, 4096}),
		ExcludeCharacters:  g.text("ExcludeCharacters", ""),
		ExcludePunctuation: g.flag("ExcludePunctuation", false),
		ExcludeNumbers:     g.flag("ExcludeNumbers", false),
		ExcludeLowercase:   g.flag("ExcludeLowercase", false),
		ExcludeUppercase:   g.flag("ExcludeUppercase", false),
		IncludeSpace:       g.flag("IncludeSpace", false),
		RequireEach:        g.flag("RequireEachIncludedType", true),
	}
	g.done()
	if (s.Generate.Template == "") != (s.Generate.Key == "") {
		r.fail(g.node, g.at, "SecretStringTemplate and GenerateStringKey come together")
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(s.Generate.Template), &object); s.Generate.Template != "" && err != nil {
		r.fail(g.node, g.path("SecretStringTemplate"), "is not a JSON object: %v", err)
	}
	return s
}

var dynamicReference = regexp.MustCompile(`\{\{resolve:([^{}]*)\}\}`)

// dynamic replaces {{resolve:secretsmanager:<secret>:SecretString:<key>}} in a text by the secret's value.
func (r *reader) dynamic(n *yaml.Node, at string) *yaml.Node {
	value := dynamicReference.ReplaceAllStringFunc(n.Value, func(match string) string {
		reference, ok := strings.CutPrefix(match[len("{{resolve:"):len(match)-2], "secretsmanager:")
		if !ok {
			r.fail(n, at, "dynamic reference %s is not supported by the local runner (supported: {{resolve:secretsmanager:…}})", match)
			return ""
		}
		return r.secretValue(reference, n, at)
	})
	return scalar(value, n)
}

// secretValue resolves <secret id>:SecretString:<JSON key>, where everything after the id may be absent.
func (r *reader) secretValue(reference string, n *yaml.Node, at string) string {
	for _, id := range r.order {
		res := r.resources[id]
		if res.kind != "AWS::SecretsManager::Secret" || !r.exists(res) {
			continue
		}
		arn, _ := r.local(res, "Ref")
		for _, name := range []string{arn, r.physicalName(res, "Name")} {
			rest, ok := strings.CutPrefix(reference, name)
			if ok && (rest == "" || rest[0] == ':') {
				return r.secretPart(r.secret(res), strings.Split(strings.TrimPrefix(rest, ":"), ":"), n, at)
			}
		}
	}
	r.fail(n, at, "{{resolve:secretsmanager:%s}} names no secret of this template", reference)
	return ""
}

func (r *reader) secretPart(s Secret, parts []string, n *yaml.Node, at string) string {
	if r.options.Secret == nil {
		r.fail(n, at, "needs the value of secret %s, and this reader has no secrets", s.LogicalID)
		return ""
	}
	if parts[0] != "" && parts[0] != "SecretString" || len(parts) > 2 {
		r.fail(n, at, "only SecretString and one JSON key are supported in a reference to a secret")
		return ""
	}
	value, err := r.options.Secret(s)
	if err != nil {
		r.fail(n, at, "secret %s: %v", s.LogicalID, err)
		return ""
	}
	if len(parts) < 2 || parts[1] == "" {
		return value
	}
	var object map[string]string
	if err := json.Unmarshal([]byte(value), &object); err != nil || object[parts[1]] == "" {
		r.fail(n, at, "secret %s has no key %q", s.LogicalID, parts[1])
	}
	return object[parts[1]]
}
