package lambda

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// server speaks HTTP/1.1 with one process. It is written out, because two requests per event through net/http's
// server cost the runner more than twice as much; the peer is our own child, so neither TLS, pipelining nor
// time limits are needed: when the child ends, its connections do.
type server struct {
	listener net.Listener
	answerTo func(*http.Request) answer

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

// maxConnections of one process at a time; a runtime needs one, the sandbox question another.
const maxConnections = 16

func (s *server) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.mu.Lock()
		if s.closed || len(s.open) >= maxConnections {
			conn.Close()
		} else {
			s.open[conn] = true
			go s.talk(conn)
		}
		s.mu.Unlock()
	}
}

func (s *server) close() {
	s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.open {
		conn.Close()
	}
}

// talk answers the requests of one connection, one after the other.
func (s *server) talk(conn net.Conn) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.open, conn)
		s.mu.Unlock()
	}()
	limited := &io.LimitedReader{R: conn}
	in, out := bufio.NewReaderSize(limited, 16*1024), bufio.NewWriterSize(conn, 16*1024)
	for {
		limited.N = 2 * MaxPayload // leaves room to see that a body is too large
		r, err := http.ReadRequest(in)
		if err != nil {
			return // the process closed the connection or ended
		}
		a := s.answerTo(r)
		a.write(out)
		if err := out.Flush(); err != nil || a.close {
			return
		}
	}
}

// write sends the answer in one piece where it fits the buffer; errors stay in w until it is flushed.
func (a answer) write(w *bufio.Writer) {
	w.WriteString("HTTP/1.1 ")
	w.WriteString(strconv.Itoa(a.status))
	w.WriteByte(' ')
	w.WriteString(http.StatusText(a.status))
	for i := 0; i+1 < len(a.fields); i += 2 {
		w.WriteString("\r\n")
		w.WriteString(a.fields[i])
		w.WriteString(": ")
		w.WriteString(a.fields[i+1])
	}
	if a.close {
		w.WriteString("\r\nConnection: close")
	}
	w.WriteString("\r\nContent-Length: ")
	w.WriteString(strconv.Itoa(len(a.body)))
	w.WriteString("\r\n\r\n")
	w.Write(a.body)
}
