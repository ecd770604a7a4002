//go:build tools

// Package tools pins what the toolchain builds when no official download can be reached.
package tools

import (
	_ "github.com/coredns/coredns"
)
