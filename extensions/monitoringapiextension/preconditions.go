package monitoringapiextension

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/quantivista/monitoring/internal/problem"
)

// etag writes a version as the strong entity tag of RFC 9110.
func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// ifMatch gives the check of a header If-Match: it answers a 412 for a version that the header does not have. Without
// the header any version is right.
func ifMatch(header *string) (func(version int64) error, error) {
	if header == nil || strings.TrimSpace(*header) == "*" {
		return func(int64) error { return nil }, nil
	}
	tags := strings.Split(*header, ",")
	for i := range tags {
		tags[i] = strings.TrimSpace(tags[i])
		// A weak tag is well formed, and never matches.
		opaque := strings.TrimPrefix(tags[i], "W/")
		if len(opaque) < 2 || opaque[0] != '"' || strings.IndexByte(opaque[1:], '"') != len(opaque)-2 {
			return nil, problem.Field(http.StatusBadRequest, "If-Match", "must be an ETag such as \"7\", with its quotes, several of them, or *, is %s", *header)
		}
	}
	return func(version int64) error {
		if slices.Contains(tags, etag(version)) {
			return nil
		}
		return problem.Field(http.StatusPreconditionFailed, "If-Match", "is %s, the stored one is %s: read it again", *header, etag(version))
	}, nil
}
