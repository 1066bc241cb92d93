package gateway

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// Listener gives the gateway's form to the answers that Go's HTTP server makes before any handler runs: to a request
// line or a header that is malformed, such as a path with half an escape.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type conn struct{ net.Conn }

// rejection is how net/http's server ends the head of such an answer, which is all of it: a handler's own answer has
// at least a date besides.
const rejection = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// Write passes everything on but those answers, which the server writes in one piece before it closes the connection.
func (c *conn) Write(p []byte) (int, error) {
	rest, refused := bytes.CutPrefix(p, []byte("HTTP/1.1 4"))
	if !refused {
		return c.Conn.Write(p)
	}
	line, head, _ := bytes.Cut(rest, []byte("\r\n"))
	status, err := strconv.Atoi("4" + string(line[:min(2, len(line))]))
	if err != nil || !bytes.HasPrefix(head, []byte(rejection)) {
		return c.Conn.Write(p)
	}
	body := fmt.Sprintf(`{"message":%q}`, http.StatusText(status))
	_, err = fmt.Fprintf(c.Conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(body), body)
	return len(p), err
}
