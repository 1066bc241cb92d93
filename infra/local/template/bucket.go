package template

func (r *reader) buildBucket(res *resource) {
	o := r.object(res.properties, "Resources."+res.id+".Properties")
	// How a bucket is kept safe and tidy has no local meaning: here it is a folder.
	o.ignore("BucketEncryption", "PublicAccessBlockConfiguration", "OwnershipControls", "LifecycleConfiguration",
		"MetricsConfigurations", "VersioningConfiguration", "Tags")
	o.text("BucketName", "")
	o.done()
	name, _ := r.local(res, "Ref")
	r.model.Buckets = append(r.model.Buckets, Bucket{LogicalID: res.id, Name: name})
}
