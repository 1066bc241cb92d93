package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"hash/maphash"
	"io"

	"yundian/shared/catalogue/intake"
)

// part is as much of a file as one request takes.
type part struct {
	body     []byte
	products int
	lines    map[int]int // line of the file by line of the part, for first lines of rows
	last     int         // line of the file of the part's last row
	bad      []badRow    // rows that are not worth sending
}

type badRow struct {
	line    int
	message string
}

// Limits of a run.
const (
	maxFileProducts = 2_000_000 // of each 8 bytes are remembered, to notice a product whose rows stand apart
	partBytes       = 2 << 20   // half of what the store takes: shorter requests, and room for escapes on the way
	maxBad          = 1000      // bad rows that a part remembers before they are shown
)

// splitter cuts a file between products.
type splitter struct {
	file   *counter
	rows   *intake.Rows
	header []byte
	seen   map[uint64]struct{} // handles
	here   map[string]bool     // handles of the part in hand: the store brings rows of one product together
	seed   maphash.Seed
	hand   product  // being read
	ready  *product // read, but not in a part yet
	ended  error
}

// product is the rows of one product, as they will be sent.
type product struct {
	handle string
	apart  bool // its rows began in an earlier part, so these are not sent
	text   []byte
	rows   []placed
	lines  int // of text
}

// placed is a row: its line within the product's text, from 0, and in the file.
type placed struct{ at, line int }

func newSplitter(r io.Reader) (*splitter, error) {
	s := &splitter{file: &counter{r: r}, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	var err error
	if s.rows, err = intake.NewRows(s.file); err != nil {
		return nil, err
	}
	s.header, err = encode(s.rows.Header)
	return s, err
}

// read is how many bytes of the file have been read.
func (s *splitter) read() int64 { return s.file.n }

// next is the next part; with io.EOF it is the last one.
func (s *splitter) next() (part, error) {
	p := part{body: bytes.Clone(s.header), lines: map[int]int{}}
	s.here = map[string]bool{}
	line := 1 + bytes.Count(s.header, []byte("\n"))
	for {
		if s.ready != nil {
			if p.products == intake.MaxProducts || p.products > 0 && len(p.body)+len(s.ready.text) > partBytes {
				if s.here[s.hand.handle] {
					s.giveUp(&p)
				}
				return p, nil
			}
			s.here[s.ready.handle] = true
			for _, row := range s.ready.rows {
				p.lines[line+row.at] = row.line
				p.last = row.line
			}
			p.body = append(p.body, s.ready.text...)
			p.products++
			line += s.ready.lines
			s.ready = nil
		}
		if s.ended != nil {
			return p, s.ended
		}
		if len(p.bad) >= maxBad {
			return p, nil
		}
		s.ended = s.step(&p)
	}
}

// step reads one row.
func (s *splitter) step(p *part) error {
	row, err := s.rows.Next()
	if err != nil {
		s.finish()
		return err
	}
	if row.Problem != nil && s.hand.handle == "" {
		p.bad = append(p.bad, badRow{row.Line, row.Problem.Text})
		return nil
	}
	if handle := row.Key(); row.Problem == nil && handle != "" && handle != s.hand.handle {
		s.finish()
		if err := s.begin(handle); err != nil {
			return fmt.Errorf("line %d: %w", row.Line, err)
		}
	}
	if s.hand.apart {
		p.bad = append(p.bad, badRow{row.Line, fmt.Sprintf(standApart, s.hand.handle)})
		return nil
	}
	// A row that cannot be read is sent all the same: the store then knows that a variant of this product may be missing.
	text := []byte("a \" alone\n")
	if row.Problem == nil || len(row.Cells) > 0 {
		if text, err = encode(row.Cells); err != nil {
			return err
		}
	}
	if len(s.header)+len(s.hand.text)+len(text) > intake.MaxBytes {
		p.bad = append(p.bad, badRow{row.Line, fmt.Sprintf("One product with more than %d bytes of rows cannot be sent.", intake.MaxBytes)})
		return nil
	}
	s.hand.rows = append(s.hand.rows, placed{s.hand.lines, row.Line})
	s.hand.text = append(s.hand.text, text...)
	s.hand.lines += bytes.Count(text, []byte("\n"))
	return nil
}

const standApart = "Rows of %s stand too far apart. They must follow each other."

// giveUp reports the rows of the product in hand, which began in the part that ends.
func (s *splitter) giveUp(p *part) {
	for _, row := range s.hand.rows {
		p.bad = append(p.bad, badRow{row.line, fmt.Sprintf(standApart, s.hand.handle)})
	}
	s.hand = product{handle: s.hand.handle, apart: true}
}

// finish makes the product in hand ready, if it has rows to send.
func (s *splitter) finish() {
	if len(s.hand.text) > 0 {
		done := s.hand
		s.ready = &done
	}
	s.hand = product{}
}

func (s *splitter) begin(handle string) error {
	key := maphash.String(s.seed, handle)
	_, again := s.seen[key]
	s.seen[key] = struct{}{}
	s.hand = product{handle: handle, apart: again && !s.here[handle] && (s.ready == nil || s.ready.handle != handle)}
	if len(s.seen) > maxFileProducts {
		return fmt.Errorf("more than %d products; cut the file", maxFileProducts)
	}
	return nil
}

// encode writes one row. Line ends within cells stay, so that it has as many lines as before.
func encode(cells []string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(cells); err != nil {
		return nil, err
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
