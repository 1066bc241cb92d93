package demo

import (
	"embed"
	"io/fs"
	"net/http"
)

// PicturePath is where the runner mounts Pictures.
const PicturePath = "/_local/demo/"

//go:embed pictures/*.svg
var pictures embed.FS

// Pictures serves the shop's own illustrations; paths are relative to PicturePath: longjing.svg.
func Pictures() http.Handler {
	files, err := fs.Sub(pictures, "pictures")
	if err != nil {
		panic(err) // the folder is compiled in; its name is checked by the embed directive
	}
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" || r.URL.Path == "" { // no listing
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("X-Content-Type-Options", "nosniff")
		// A picture opened by itself is a document: it may draw, and nothing else.
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		server.ServeHTTP(w, r)
	})
}
