package template

import (
	"slices"
	"strings"
)

// attribute is one AttributeName with its type or its part in a key.
type attribute struct{ name, role string }

func attributes(o *object, list, role string) []attribute {
	var all []attribute
	for _, each := range o.objects(list) {
		all = append(all, attribute{each.required("AttributeName"), each.required(role)})
		each.done()
	}
	return all
}

func (r *reader) buildTable(res *resource) {
	o := r.object(res.properties, "Resources."+res.id+".Properties")
	o.ignore("BillingMode", "DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "SSESpecification", "Tags",
		"TableClass", "ContributorInsightsSpecification", "OnDemandThroughput", "WarmThroughput", "ProvisionedThroughput")
	name, _ := r.local(res, "Ref")
	o.text("TableName", "")
	types := map[string]string{}
	for _, a := range attributes(o, "AttributeDefinitions", "AttributeType") {
		types[a.name] = a.role
	}
	t := Table{LogicalID: res.id, Name: name, Key: r.key(o, types)}
	for _, each := range o.objects("GlobalSecondaryIndexes") {
		each.ignore("OnDemandThroughput", "WarmThroughput", "ProvisionedThroughput", "ContributorInsightsSpecification")
		index := Index{Name: each.required("IndexName"), Key: r.key(each, types)}
		projection := each.object("Projection")
		index.Projection = projection.choice("ProjectionType", "ALL", "KEYS_ONLY", "INCLUDE")
		projection.required("ProjectionType")
		index.Include = projection.texts("NonKeyAttributes")
		projection.done()
		each.done()
		t.Indexes = append(t.Indexes, index)
	}
	if stream := o.object("StreamSpecification"); stream.present {
		t.StreamView = stream.required("StreamViewType")
		if views := []string{"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"}; !slices.Contains(views, t.StreamView) {
			r.fail(stream.node, stream.path("StreamViewType"), "%q is not one of %s", t.StreamView, strings.Join(views, ", "))
		}
		stream.done()
	}
	if ttl := o.object("TimeToLiveSpecification"); ttl.present {
		if ttl.flag("Enabled", false) {
			t.TTLAttribute = ttl.required("AttributeName")
		} else {
			ttl.ignore("AttributeName")
		}
		ttl.done()
	}
	o.done()
	r.model.Tables = append(r.model.Tables, t)
}

// key reads a KeySchema; types come from AttributeDefinitions.
func (r *reader) key(o *object, types map[string]string) Key {
	var k Key
	for _, a := range attributes(o, "KeySchema", "KeyType") {
		kind, declared := types[a.name]
		if !declared {
			r.fail(o.values["KeySchema"], o.path("KeySchema"), "%s is not in AttributeDefinitions", a.name)
		}
		switch a.role {
		case "HASH":
			k.Hash, k.HashType = a.name, kind
		case "RANGE":
			k.Sort, k.SortType = a.name, kind
		default:
			r.fail(o.values["KeySchema"], o.path("KeySchema"), "%q is not HASH or RANGE", a.role)
		}
	}
	if k.Hash == "" {
		r.fail(o.node, o.path("KeySchema"), "names no HASH key")
	}
	return k
}
