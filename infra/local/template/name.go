package template

import "gopkg.in/yaml.v3"

// local is what a resource's Ref or attribute is on this machine.
func (r *reader) local(res *resource, attribute string) (string, bool) {
	region := r.options.Region
	switch res.kind + " " + attribute {
	case "AWS::DynamoDB::Table Ref":
		return r.physicalName(res, "TableName"), true
	case "AWS::DynamoDB::Table Arn":
		return "arn:aws:dynamodb:" + region + ":" + AccountID + ":table/" + r.physicalName(res, "TableName"), true
	case "AWS::DynamoDB::Table StreamArn":
		if res.properties == nil || keyIndex(res.properties, "StreamSpecification") < 0 {
			return "", false
		}
		return "arn:aws:dynamodb:" + region + ":" + AccountID + ":table/" + r.physicalName(res, "TableName") + "/stream/local", true
	case "AWS::Serverless::Function Ref":
		return r.physicalName(res, "FunctionName"), true
	case "AWS::Serverless::Function Arn":
		return "arn:aws:lambda:" + region + ":" + AccountID + ":function:" + r.physicalName(res, "FunctionName"), true
	case "AWS::Serverless::HttpApi Ref":
		return res.id, true
	case "AWS::SecretsManager::Secret Ref", "AWS::SecretsManager::Secret Id":
		return "arn:aws:secretsmanager:" + region + ":" + AccountID + ":secret:" + res.id, true
	case "AWS::S3::Bucket Ref":
		return r.physicalName(res, "BucketName"), true
	case "AWS::S3::Bucket Arn":
		return "arn:aws:s3:::" + r.physicalName(res, "BucketName"), true
	}
	return "", false
}

// physicalName is the name that the template gives, or one made from the stack's name like CloudFormation's.
func (r *reader) physicalName(res *resource, property string) string {
	if res.properties != nil && res.properties.Kind == yaml.MappingNode {
		if i := keyIndex(res.properties, property); i >= 0 {
			if v := r.resolve(res.properties.Content[i+1], "Resources."+res.id+".Properties."+property); v != nil && v.Kind == yaml.ScalarNode {
				return v.Value
			}
		}
	}
	return r.options.StackName + "-" + res.id
}
