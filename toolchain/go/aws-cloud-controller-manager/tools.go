//go:build tools

// Package tools pins what the toolchain builds when no official download can be reached.
package tools

import (
	_ "k8s.io/cloud-provider-aws/cmd/aws-cloud-controller-manager"
)
