// Package events holds one real sample of every event that starts a function, and the malformed or unusual ones that
// must not break it (trap-*.json). Tests load them from here; nothing that deploys does.
package events

import (
	"embed"
	"fmt"
)

//go:embed *.json
var files embed.FS

// Load is the sample with a name such as "http-page".
func Load(name string) ([]byte, error) {
	text, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("load sample event: %w", err)
	}
	return text, nil
}

// Names lists all samples.
func Names() ([]string, error) {
	found, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list sample events: %w", err)
	}
	names := make([]string, 0, len(found))
	for _, f := range found {
		names = append(names, f.Name()[:len(f.Name())-len(".json")])
	}
	return names, nil
}
