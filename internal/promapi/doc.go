// Package promapi serves Prometheus' own HTTP API, by Prometheus' own code, over stores and an engine that
// are given to it. It is the only place that knows the constructor of that API.
package promapi
