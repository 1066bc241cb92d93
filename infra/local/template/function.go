package template

import (
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// reserved are the environment variables that Lambda itself sets and no function may declare. Source: AWS Lambda
// developer guide, "Defined runtime environment variables".
var reserved = []string{"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_MAX_CONCURRENCY",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
	"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}

// runnerOwned are set by the local runner alone: a template that sets them would point deployed functions elsewhere.
var runnerOwned = []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SESV2"}

var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

// maxEnvironment is Lambda's limit in bytes for all variables of a function together.
const maxEnvironment = 4096

func (r *reader) buildFunction(res *resource) {
	at := "Resources." + res.id + ".Properties"
	o := r.object(r.withGlobals("Function", res.properties), at)
	o.ignore("Description", "Policies", "Role", "Tags", "LoggingConfig", "Tracing", "PermissionsBoundary", "EphemeralStorage",
		"EventInvokeConfig") // the runner hands no event over twice, nor late
	o.choice("Runtime", "provided.al2023")
	o.required("Runtime")
	o.required("Handler") // any text: a custom runtime is started as bootstrap
	folder := filepath.Join(r.folder, filepath.FromSlash(o.required("CodeUri")))
	f := Function{
		Name:         filepath.Base(folder),
		LogicalID:    res.id,
		FunctionName: o.text("FunctionName", r.options.StackName+"-"+res.id),
		Folder:       folder,
		Timeout:      time.Duration(o.number("Timeout", 3, limits{1, 900})) * time.Second,
		MemoryMB:     o.number("MemorySize", 128, limits{128, 10240}),
		Concurrency:  o.number("ReservedConcurrentExecutions", 0, limits{0, 1000}),
		Architecture: "x86_64",
	}
	if architectures := o.texts("Architectures"); len(architectures) > 0 {
		f.Architecture = architectures[0]
		if len(architectures) > 1 || f.Architecture != "arm64" && f.Architecture != "x86_64" {
			r.fail(o.values["Architectures"], o.path("Architectures"), "must be [arm64] or [x86_64]")
		}
	}
	environment := o.object("Environment")
	f.Environment = r.variables(environment.object("Variables"))
	environment.done()
	events := o.object("Events")
	o.done()
	r.model.Functions = append(r.model.Functions, f)
	for _, name := range events.keys {
		r.buildEvent(f, name, r.object(events.take(name), events.path(name)))
	}
}

func (r *reader) variables(o *object) map[string]string {
	variables, size := map[string]string{}, 0
	for _, name := range o.keys {
		value := o.text(name, "")
		variables[name] = value
		size += len(name) + len(value)
		switch {
		case slices.Contains(reserved, name):
			r.fail(o.values[name], o.path(name), "Lambda reserves this variable; a template cannot set it")
		case slices.Contains(runnerOwned, name):
			r.fail(o.values[name], o.path(name), "only the local runner sets this variable")
		case !variableName.MatchString(name):
			r.fail(o.values[name], o.path(name), "a variable's name must match %s", variableName)
		}
	}
	if size > maxEnvironment {
		r.fail(o.node, o.at, "%d bytes of variables, Lambda's limit is %d", size, maxEnvironment)
	}
	return variables
}
