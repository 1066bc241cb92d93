package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// patience bounds one request, its connection included.
const patience = 30 * time.Second

// line is one client's connection. It writes requests by hand: the load shares two cores with what it measures, and
// net/http's client costs three times as much.
type line struct {
	address string // http://host:port
	conn    net.Conn
	in      *bufio.Reader
	out     []byte
}

// reply is an answer read to its end. The body is good until the next request.
type reply struct {
	location string
	body     []byte
}

// send makes one request; any other status than the expected one is an error.
func (l *line) send(c call) (reply, error) {
	host := strings.TrimPrefix(l.address, "http://")
	if l.conn == nil {
		conn, err := net.DialTimeout("tcp", host, patience)
		if err != nil {
			return reply{}, fmt.Errorf("%s %s: %w", c.Method, c.Path, err)
		}
		l.conn, l.in = conn, bufio.NewReaderSize(conn, 64<<10)
	}
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return reply{}, err
	}
	l.out = c.write(l.out[:0], host)
	if _, err := l.conn.Write(l.out); err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", c.Method, c.Path, err)
	}
	answer, err := http.ReadResponse(l.in, &http.Request{Method: c.Method})
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", c.Method, c.Path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", c.Method, c.Path, err)
	}
	if answer.StatusCode != c.Status {
		return reply{}, fmt.Errorf("%s %s answered %d, not %d: %.300s", c.Method, c.Path, answer.StatusCode, c.Status, body)
	}
	return reply{location: answer.Header.Get("Location"), body: body}, nil
}

// anybody stands in a body for the digits of a phone that nobody else has.
const anybody = "{anybody}"

// write appends the request as it goes over the wire.
func (c call) write(b []byte, host string) []byte {
	w := bytes.NewBuffer(b)
	body := strings.Replace(c.Body, anybody, fmt.Sprintf("%08d", mathrand.Int64N(1e8)), 1)
	fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/5.0 (bench)\r\n", c.Method, c.Path, host)
	for name, value := range c.Header {
		fmt.Fprintf(w, "%s: %s\r\n", name, value)
	}
	if c.Fresh {
		fmt.Fprintf(w, "Idempotency-Key: %s\r\n", rand.Text())
	}
	if body != "" {
		fmt.Fprintf(w, "Content-Length: %d\r\n", len(body))
	}
	w.WriteString("\r\n")
	w.WriteString(body)
	return w.Bytes()
}

func (l *line) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}
