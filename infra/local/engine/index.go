package engine

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Dynoxide keeps the records of all streams in one SQLite table without an index. Each write asks it for the highest
// number of its stream, and each read for the numbers after one, so both would go through all records there ever were:
// with 3,000 orders stored, one more took 0.4 s of processor time. streamIndex answers both questions. SQLite keeps it
// up to date whoever writes, and Dynoxide makes its plans anew when the schema has changed.
const streamIndex = `CREATE INDEX IF NOT EXISTS yundian_stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER))`

// databaseFile is what Dynoxide's database is called in its folder. SQLite keeps two more files beside it.
const databaseFile = "dynoxide.db"

// indexWait is how long the index waits in milliseconds for a lock on the database. Dynoxide has just started and nobody
// has its address yet, so this is for a machine under load.
const indexWait = 10_000

// indexStreams gives the database in the folder the index, if it is not there yet. Dynoxide must have made its tables; it
// may be running, because it takes its locks for a transaction at a time.
func indexStreams(ctx context.Context, dir string) error {
	path, err := filepath.Abs(filepath.Join(dir, databaseFile))
	if err != nil {
		return fmt.Errorf("find the database: %w", err)
	}
	// mode=rw never makes a database: an empty one beside the engine's would hide that the file is not where we think.
	address := url.URL{Scheme: "file", Path: path, RawQuery: fmt.Sprintf("mode=rw&_pragma=busy_timeout(%d)", indexWait)}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return fmt.Errorf("open the database %s: %w", path, err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, streamIndex); err != nil {
		return fmt.Errorf("index the stream records in %s: %w", path, err)
	}
	return nil
}

// A database that nobody keeps is in files, too, because the index has to be made from outside the engine. Their folder
// is in memory where the machine has room for it.
const (
	sharedMemory = "/dev/shm"
	tmpfs        = 0x01021994 // TMPFS_MAGIC, statfs(2)
	// roomInMemory is what has to be free there: 20,000 orders with all that follows from them take about a third of it.
	// Containers often have 64 MB.
	roomInMemory = 1 << 30
)

// temporaryFolder makes a folder for a database that nobody keeps: below the given one if that is in memory and has room,
// otherwise among the machine's temporary files.
func temporaryFolder(memory string) (string, error) {
	const pattern = "yundian-store-"
	var system syscall.Statfs_t
	if err := syscall.Statfs(memory, &system); err == nil && system.Type == tmpfs && system.Bavail*uint64(system.Bsize) >= roomInMemory {
		if dir, err := os.MkdirTemp(memory, pattern); err == nil {
			return dir, nil
		}
	}
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", fmt.Errorf("make a folder for the store engine: %w", err)
	}
	return dir, nil
}
