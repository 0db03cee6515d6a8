// Sends one trace of two spans, one log record within it and one metric by OpenTelemetry's SDK for Node.js, to the
// endpoint in OTEL_EXPORTER_OTLP_ENDPOINT by gRPC, and prints the trace's ID.
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const resource = resourceFromAttributes({ 'service.name': 'till', 'service.version': '1.2.3' });
const traces = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor(new OTLPLogExporter())] });
const metrics = new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })] });

const tracer = traces.getTracer('till');
const sale = tracer.startSpan('sale');
const within = trace.setSpan(context.active(), sale);
const pay = tracer.startSpan('pay', {}, within);
pay.recordException(new Error('card declined'));
pay.setStatus({ code: SpanStatusCode.ERROR, message: 'card declined' });
pay.end();
logs.getLogger('till').emit({ context: within, severityNumber: SeverityNumber.ERROR, severityText: 'ERROR', body: 'card declined' });
metrics.getMeter('till').createCounter('sales', { unit: '{sale}' }).add(3);
sale.end();

await Promise.all([traces.shutdown(), logs.shutdown(), metrics.shutdown()]);
console.log(sale.spanContext().traceId);
