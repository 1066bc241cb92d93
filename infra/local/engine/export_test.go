package engine

// TemporaryFolder is what tests see of where a database goes that nobody keeps.
var TemporaryFolder = temporaryFolder
