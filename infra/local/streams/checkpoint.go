package streams

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// saveEvery bounds how often the checkpoint file is written. A checkpoint that is lost or late repeats records, which
// functions must bear anyway; it never skips one.
const saveEvery = 100 * time.Millisecond

// checkpoints remember per mapping and shard what has been delivered.
type checkpoints struct {
	file string
	log  *slog.Logger

	mu      sync.Mutex
	dirty   chan struct{} // holds one token while there is something to write
	ending  chan struct{}
	once    sync.Once
	streams map[string]streamCheckpoint // by mapping id
}

type streamCheckpoint struct {
	Stream string                `json:"stream"` // another stream's checkpoint says nothing about this one
	Shards map[string]shardPlace `json:"shards"`
}

// shardPlace is how far a shard has been delivered.
type shardPlace struct {
	After string `json:"after"`          // the last sequence number that is done; empty: none is
	Ended bool   `json:"ended,omitzero"` // the shard is closed and all of it is done
}

func loadCheckpoints(file string, log *slog.Logger) (*checkpoints, error) {
	c := &checkpoints{file: file, log: log, streams: map[string]streamCheckpoint{},
		dirty: make(chan struct{}, 1), ending: make(chan struct{})}
	if file == "" {
		return c, nil
	}
	body, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the stream checkpoints: %w", err)
	}
	if err := json.Unmarshal(body, &c.streams); err != nil {
		return nil, fmt.Errorf("read the stream checkpoints %s: %w; without the file every record is delivered again", file, err)
	}
	return c, nil
}

// of is the saved place of every shard of a mapping's stream; found is false when nothing is known about that stream.
func (c *checkpoints) of(mapping, stream string) (places map[string]shardPlace, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.streams[mapping]
	if !ok || known.Stream != stream {
		return nil, false
	}
	places = make(map[string]shardPlace, len(known.Shards))
	for shard, place := range known.Shards {
		places[shard] = place
	}
	return places, true
}

// begin replaces what is known about a mapping by the shards that its stream has now.
func (c *checkpoints) begin(mapping, stream string, shards map[string]shardPlace) {
	c.mu.Lock()
	c.streams[mapping] = streamCheckpoint{Stream: stream, Shards: shards}
	c.mu.Unlock()
	c.touch()
}

// put moves one shard on.
func (c *checkpoints) put(mapping, shard string, place shardPlace) {
	c.mu.Lock()
	c.streams[mapping].Shards[shard] = place
	c.mu.Unlock()
	c.touch()
}

func (c *checkpoints) touch() {
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

// keep writes changes until stop, each within saveEvery.
func (c *checkpoints) keep() {
	for {
		select {
		case <-c.ending:
			return
		case <-c.dirty:
		}
		if err := c.write(); err != nil {
			c.log.Error("stream checkpoints not written", "error", err)
		}
		select {
		case <-c.ending:
			return
		case <-time.After(saveEvery):
		}
	}
}

func (c *checkpoints) stop() { c.once.Do(func() { close(c.ending) }) }

// write replaces the file at once, so that a kill leaves the old or the new one.
func (c *checkpoints) write() error {
	if c.file == "" {
		return nil
	}
	c.mu.Lock()
	body, err := json.MarshalIndent(c.streams, "", " ")
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode the stream checkpoints: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.file), 0o755); err != nil {
		return fmt.Errorf("write the stream checkpoints: %w", err)
	}
	if err := os.WriteFile(c.file+".new", body, 0o644); err != nil {
		return fmt.Errorf("write the stream checkpoints: %w", err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil {
		return fmt.Errorf("write the stream checkpoints: %w", err)
	}
	return nil
}
