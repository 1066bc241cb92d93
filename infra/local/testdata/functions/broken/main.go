// Command broken is a function that ends before it asks for an event.
package main

import "os"

func main() { os.Exit(7) }
