// Package rule is what an alerting rule made through the API is, and the ports by which rules are checked and kept.
// It knows no collector component, no SQL and no HTTP.
package rule
