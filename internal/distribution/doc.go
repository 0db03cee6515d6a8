// Package distribution reads what the distribution is made of: the builder's manifest and the main package
// generated from it. Only tests use it; it keeps the two, go.mod and the component folders in step.
package distribution
