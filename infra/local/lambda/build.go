package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Builder compiles functions the way `sam build` does for deployment.
type Builder struct {
	Root         string   // folder of go.mod
	Folders      []string // of the functions, each named like its function; absolute
	Out          string   // receives one bootstrap per function
	Architecture string   // arm64 or x86_64; empty: this machine's
	Log          io.Writer
}

// Build compiles every function in one go command and returns the path of each binary by folder name. It skips the
// command when no file of the module has changed since the last build into Out.
func (b Builder) Build(ctx context.Context) (map[string]string, error) {
	binaries := make(map[string]string, len(b.Folders))
	for _, folder := range b.Folders {
		name := filepath.Base(folder)
		if other, twice := binaries[name]; twice {
			return nil, fmt.Errorf("two functions are built from folders named %s: %s", name, other)
		}
		binaries[name] = filepath.Join(b.Out, name)
	}
	if err := os.MkdirAll(b.Out, 0o755); err != nil {
		return nil, fmt.Errorf("make folder for binaries: %w", err)
	}
	unlock, err := lockFile(filepath.Join(b.Out, ".lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	sum, err := b.fingerprint()
	if err != nil {
		return nil, fmt.Errorf("fingerprint sources in %s: %w", b.Root, err)
	}
	stamp := filepath.Join(b.Out, ".built")
	if old, err := os.ReadFile(stamp); err == nil && string(old) == sum && allExist(binaries) {
		return binaries, nil
	}
	if err := b.compile(ctx); err != nil {
		return nil, err
	}
	if err := os.WriteFile(stamp, []byte(sum), 0o644); err != nil {
		return nil, fmt.Errorf("keep fingerprint of sources: %w", err)
	}
	return binaries, nil
}

func (b Builder) compile(ctx context.Context) error {
	args := append([]string{"build"}, buildFlags...)
	args = append(args, "-o", b.Out+string(filepath.Separator))
	args = append(args, b.Folders...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+b.goarch())
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if b.Log != nil {
		cmd.Stderr = io.MultiWriter(&said, b.Log)
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build functions: %w\n%s", err, said.Bytes())
	}
	return nil
}

var buildFlags = []string{"-trimpath", "-tags", "lambda.norpc,nethttpomithttp2", "-ldflags=-s -w"}

func (b Builder) goarch() string {
	switch b.Architecture {
	case "arm64":
		return "arm64"
	case "x86_64":
		return "amd64"
	}
	return runtime.GOARCH
}

// fingerprint covers name, size and time of every file that could end up in a binary. Names and times instead of
// contents keep it below 10 ms; a touched file only costs a cached build.
func (b Builder) fingerprint() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), b.goarch(), buildFlags, os.Getenv("GOFLAGS"), b.Folders)
	err := filepath.WalkDir(b.Root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != b.Root && (strings.HasPrefix(name, ".") || name == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".md") {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

func allExist(binaries map[string]string) bool {
	for _, path := range binaries {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

// Prebuilt finds what `sam build` left in dir: one folder per logical id, holding a bootstrap.
func Prebuilt(dir, logicalID string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, logicalID, "bootstrap"))
	if err != nil {
		return "", fmt.Errorf("find built function %s: %w", logicalID, err)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find built function %s: %w", logicalID, err)
	}
	return path, nil
}

// lockFile keeps two runners from building into one folder at a time.
func lockFile(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := flock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("wait for lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil // closing releases it
}
