package otlpreceiver

import (
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// withStatus gives a pipeline's error the gRPC status by which a sender knows whether to try again: it does, unless
// the error is permanent. https://opentelemetry.io/docs/specs/otlp/#failures
func withStatus(err error) error {
	if err == nil {
		return nil
	}
	s, ok := status.FromError(err)
	if !ok {
		code := codes.Unavailable
		if consumererror.IsPermanent(err) {
			code = codes.Internal
		}
		s = status.New(code, err.Error())
	}
	return s.Err()
}

// writeError answers with a google.rpc.Status, as OTLP demands: that of the error, or one for the code.
func writeError(w http.ResponseWriter, mediaType string, code int, err error) {
	s, ok := status.FromError(err)
	if ok {
		code = httpCode(s.Code())
	} else {
		s = status.New(grpcCode(code), err.Error())
	}
	writeStatus(w, mediaType, code, s)
}

// writeServerError answers for confighttp, which refuses requests before they come here.
func writeServerError(w http.ResponseWriter, req *http.Request, message string, code int) {
	mediaType := mediaTypeOf(req)
	if mediaType == "" {
		if req.Header.Get("Content-Type") != "" {
			writeUnwritable(w)
			return
		}
		mediaType = jsonType
	}
	writeStatus(w, mediaType, code, status.New(grpcCode(code), message))
}

func writeStatus(w http.ResponseWriter, mediaType string, code int, s *status.Status) {
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		if delay, ok := retryDelay(s); ok {
			w.Header().Set("Retry-After", strconv.FormatInt(int64(delay/time.Second), 10))
		}
	}
	marshal := proto.Marshal
	if mediaType == jsonType {
		marshal = protojson.Marshal
	}
	body, err := marshal(s.Proto())
	if err != nil {
		writeUnwritable(w)
		return
	}
	write(w, mediaType, code, body)
}

// writeUnwritable answers where the error itself cannot be told.
func writeUnwritable(w http.ResponseWriter) {
	write(w, jsonType, http.StatusInternalServerError, []byte(`{"code": 13, "message": "failed to marshal error message"}`))
}

// retryDelay is how long the pipeline wants the sender to wait.
func retryDelay(s *status.Status) (time.Duration, bool) {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration(), true
		}
	}
	return 0, false
}

// httpCode follows https://opentelemetry.io/docs/specs/otlp/#failures: the codes that may be tried again are told
// apart from those that may not.
func httpCode(code codes.Code) int {
	switch code {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unimplemented:
		return http.StatusNotFound
	default:
		return http.StatusInternalServerError
	}
}

// grpcCode follows https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md but for 400 and 429, which
// OTLP has codes for.
func grpcCode(code int) codes.Code {
	switch code {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.Unimplemented
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return codes.Unavailable
	default:
		return codes.Unknown
	}
}
