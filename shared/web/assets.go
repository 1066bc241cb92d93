package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"sync"
)

// assets are the files that every page of the store shares. They are embedded here rather than in one function, so that
// each function names the stylesheet by the content it was built with.
//
//go:embed assets
var assets embed.FS

// assetTypes are the kinds of file among the assets.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// hashes are the assets' names with a hash of their content in them. Made on first use: most functions show no page.
var hashes = sync.OnceValue(func() map[string]string {
	named := map[string]string{}
	entries, err := assets.ReadDir("assets")
	if err != nil {
		panic("web: embedded assets cannot be listed: " + err.Error())
	}
	for _, e := range entries {
		content, err := assets.ReadFile("assets/" + e.Name())
		if err != nil {
			panic("web: embedded asset cannot be read: " + err.Error())
		}
		sum := sha256.Sum256(content)
		extension := path.Ext(e.Name())
		named[e.Name()] = strings.TrimSuffix(e.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
	}
	return named
})

// AssetPath is the address of an asset such as "store.css". It changes with the content, so that browsers keep what
// they have for as long as it is right.
func AssetPath(name string) string { return "/assets/" + hashes()[name] }

// ServeAsset answers with the asset that the file name of AssetPath means. A name with another hash, from a page made by
// the release before or after this one, gets what there is now, to be asked for again soon.
func ServeAsset(w http.ResponseWriter, r *http.Request, file string) bool {
	extension := path.Ext(file)
	base, _, _ := strings.Cut(file, ".")
	name := base + extension
	exact, known := hashes()[name]
	if !known || strings.Count(file, ".") > 2 {
		return false
	}
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return false
	}
	header := w.Header()
	header.Set("Content-Type", assetTypes[extension])
	header.Set("Cache-Control", "public, max-age=60")
	if file == exact {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(content) // the client may be gone
	return true
}
