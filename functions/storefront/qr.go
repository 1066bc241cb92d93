package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/skip2/go-qrcode"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/web"
)

// pngSide is the side of a QR picture in pixels: sharp on a poster of 5 cm.
const pngSide = 720

// shareLinkPicture answers GET /s/{code}/qr with the link's QR code, as SVG, or as PNG with ?format=png. Pictures are
// printed, so it leads to the link as it is stored.
func (s *storefront) shareLinkPicture(w http.ResponseWriter, r *http.Request) {
	code, ok := koc.ReadCode(r.PathValue("code"))
	if !ok {
		s.refuse(w, r, errNothing)
		return
	}
	landing, err := s.store.Land(r.Context(), code, "")
	if err == nil && (visit{landing: landing}).away() {
		err = errAway // a picture sells nothing by itself
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	picture, kind, err := drawQR(web.BaseURL(r, s.publicURL)+"/s/"+landing.Link.Code, r.URL.Query().Get("format"))
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(picture) // the client may be gone
}

func drawQR(address, format string) (picture []byte, kind string, err error) {
	// Medium correction survives a crease or a thumb on a printed poster.
	code, err := qrcode.New(address, qrcode.Medium)
	if err != nil {
		return nil, "", fmt.Errorf("draw QR code of %d bytes: %w", len(address), err)
	}
	switch format {
	case "png":
		picture, err = code.PNG(pngSide)
		return picture, "image/png", err
	case "", "svg":
		return drawSVG(code.Bitmap()), "image/svg+xml", nil
	default:
		return nil, "", fail.NewFields([]fail.Field{web.Fault("query.format", "field_one_of", "svg, png")})
	}
}

// drawSVG draws each row's dark runs as one path; the bitmap has its quiet zone already.
func drawSVG(bitmap [][]bool) []byte {
	var b strings.Builder
	side := len(bitmap)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`,
		side, side, 8*side, 8*side, side, side)
	for y, row := range bitmap {
		for x := 0; x < side; x++ {
			if !row[x] {
				continue
			}
			from := x
			for x < side && row[x] {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String())
}
