package dev.tidestream.server.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.server.admin.store.UpdateLogLimits;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.bench.BenchCommand;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.PromptLimits;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.StallLimits;
import dev.tidestream.server.transport.TransportConfig;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Option values that are taken, and those that are refused, of the commands that run a model. */
class OptionsTest {

    private static class Serve extends ServeOptions implements Callable<Integer> {
        @Override
        public Integer call() {
            return 0;
        }
    }

    private static class Generate extends GenerateOptions implements Callable<Integer> {
        @Override
        public Integer call() {
            return 0;
        }
    }

    private static class Logits extends LogitsOptions implements Callable<Integer> {
        @Override
        public Integer call() {
            return 0;
        }
    }

    private static Object command(String name) {
        return switch (name) {
            case "serve" -> new Serve();
            case "generate" -> new Generate();
            case "bench" -> new BenchCommand();
            case "logits" -> new Logits();
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static <T> T taken(T command, String... args) {
        assertEquals(new Run(0, "", ""), Run.of(command, args));
        return command;
    }

    @Test
    void shouldTakeLimitsOfStreamsAndPrompts() {
        Serve byDefault = taken(new Serve());
        assertEquals(EngineConfig.DEFAULT, byDefault.limits.applyTo(EngineConfig.DEFAULT));
        assertEquals(TransportConfig.DEFAULT.maxStreams(), byDefault.limits.maxStreams());
        Serve serve = taken(new Serve(), "--max-streams", "5", "--max-sequences-per-connection", "2", "--max-queued", "7",
                "--max-queued-memory", "1MiB", "--max-queued-tokens", "500", "--batch-share", "0.25",
                "--max-parked", "9", "--max-parked-memory", "2MiB", "--stall-timeout", "30",
                "--max-prompts", "11", "--max-prompt-bytes", "1KiB", "--max-prompt-memory-per-connection", "2KiB",
                "--max-prompt-memory", "3KiB");
        assertEquals(5, serve.limits.maxStreams());
        EngineConfig engine = serve.limits.applyTo(EngineConfig.DEFAULT);
        assertEquals(2, engine.maxSequencesPerConnection());
        assertEquals(new PromptLimits(11, 1024, 3072, 2048), engine.prompts());
        assertEquals(new QueueLimits(7, 1 << 20, 500, 0.25), engine.queue());
        assertEquals(new StallLimits(9, 2 << 20, Duration.ofSeconds(30).toNanos()), engine.stalled());
        Serve tooLittle = taken(new Serve(), "--max-prompt-memory", "2MiB");
        CommandLine.ParameterException refused = assertThrows(
                CommandLine.ParameterException.class, () -> tooLittle.limits.applyTo(EngineConfig.DEFAULT));
        assertEquals("--max-prompt-memory must be at least 4194304: 2097152", refused.getMessage());
    }

    @Test
    void shouldServeByDefaultOnThisMachineOnly() {
        Serve serve = taken(new Serve());
        assertEquals("127.0.0.1", serve.host);
        assertEquals(ServerConfig.DEFAULT, serve.config(), "without options, serve is the default of an embedded server");
        assertEquals(8080, serve.config().transport().port());
        assertEquals(16, serve.config().engine().maxSequences());
        assertEquals(1L << 30, serve.kvMemory.bytes());
        assertEquals(Runtime.getRuntime().availableProcessors(), serve.compute.config().threads());
        assertEquals("starter-q8_0.gguf", serve.model.open().path().toString());
    }

    @Test
    void shouldTakeServeOptions() {
        Serve serve = taken(new Serve(), "--allow-unauthenticated", "--host", "0.0.0.0", "--port", "0", "--threads", "3",
                "--max-sequences", "4", "--kv-memory", "2GiB", "--prefix-cache", "0.25");
        assertEquals("0.0.0.0", serve.host);
        assertEquals(0, serve.config().transport().port());
        assertEquals(3, serve.compute.config().threads());
        assertEquals(4, serve.config().engine().maxSequences());
        assertEquals(2L << 30, serve.kvMemory.bytes());
        assertEquals(0.25, serve.config().engine().prefixShare());
        assertEquals(0, taken(new Serve(), "--prefix-cache", "off").config().engine().prefixShare());
    }

    @Test
    void shouldLimitWhatTheDataDirectoryKeeps() {
        assertEquals(UpdateLogLimits.DEFAULT, taken(new Serve()).live.config().kept());
        assertEquals(new UpdateLogLimits(7, 3 << 20, UpdateLogLimits.DEFAULT.maxSpools()),
                taken(new Serve(), "--max-kept-versions", "7", "--max-kept-bytes", "3MiB").live.config().kept());
    }

    @Test
    void shouldMakeARequest() {
        SamplingOptions sampling = new SamplingOptions(0.7f, 40, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.empty());
        GenerateRequest request = taken(new Generate(), "--prompt", "Once").request();
        assertEquals("Once", request.prompt());
        assertEquals(128, request.maxTokens());
        assertEquals(sampling, request.sampling());
        assertEquals(-1, request.topLogprobs());

        GenerateRequest other = taken(new Generate(), "--prompt", "", "-n", "5", "--temperature", "0", "--seed", "-7",
                "--top-k", "0", "--top-p", "0.9", "--min-p", "0.1", "--repetition-penalty", "1.1", "--presence-penalty", "-0.5",
                "--frequency-penalty", "0.25", "--stop", "END", "--stop", "\n").request();
        assertEquals(new SamplingOptions(0f, 0, 0.9f, 0.1f, 1.1f, -0.5f, 0.25f, Map.of(), OptionalLong.of(-7)), other.sampling());
        assertEquals("", other.prompt());
        assertEquals(5, other.maxTokens());
        assertEquals(List.of("END", "\n"), other.stop());
    }

    @Test
    void shouldKeepTheHeadExactUnlessToldOtherwise() {
        Precision exact = Precision.withExactHead(ActivationPrecision.INT8, KvType.F16);
        Precision int8 = new Precision(ActivationPrecision.INT8, ActivationPrecision.INT8, KvType.F16);
        assertEquals(exact, taken(new Serve()).compute.config().precision());
        assertEquals(int8, taken(new Serve(), "--head-activations", "int8").compute.config().precision());
        assertEquals(exact, taken(new Generate(), "--prompt", "x").compute.config().precision());
        assertEquals(int8, taken(new Generate(), "--prompt", "x", "--head-activations", "INT8").compute.config().precision());
        assertEquals(int8, taken(new Logits(), "--tokens", "1", "--out", "x", "--head-activations", "int8").compute.config().precision());
    }

    @Test
    void shouldTakeLogitsOptions() {
        Logits logits = taken(new Logits(), "--tokens", "1,2,3", "--out", "x.f32");
        assertArrayEquals(new int[] {1, 2, 3}, logits.tokens());
        assertEquals(Path.of("x.f32"), logits.out);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "serve    | --port 65536                   | --port must be 0 to 65535: 65536",
        "serve    | --port http                    | --port must be a whole number, or none: \"http\", for example --port 9000",
        "serve    | --otlp-endpoint localhost      | --otlp-endpoint must be like http://localhost:4318: \"localhost\"",
        "serve    | --unix-socket-mode 888         | --unix-socket-mode must be three octal digits: \"888\", for example 660",
        "serve    | --max-kept-versions 0          | --max-kept-versions must be 1 to 100000: 0",
        "serve    | --max-kept-versions 100001     | --max-kept-versions must be 1 to 100000: 100001",
        "serve    | --max-input-rate 0             | --max-input-rate must be at least 65536 bytes: 0",
        "serve    | --max-input-rate 65535         | --max-input-rate must be at least 65536 bytes: 65535",
        "serve    | --threads 0                    | --threads must be 1 to 1024: 0",
        "serve    | --max-sequences 0              | --max-sequences must be 1 to 1024: 0",
        "serve    | --kv-memory lots               | "
                + "--kv-memory: 'lots' is no size: write 2GiB, 512MiB or a number of bytes, for example --kv-memory 4GiB",
        "serve    | --prefix-cache 0              | "
                + "--prefix-cache must be above 0 and at most 1, or off: \"0\", for example --prefix-cache 0.25",
        "serve    | --prefix-cache on             | "
                + "--prefix-cache must be above 0 and at most 1, or off: \"on\", for example --prefix-cache 0.25",
        "serve    | --head-activations int4        | "
                + "--head-activations must be int8 or f32: 'int4', for example --head-activations f32",
        "logits   | --tokens 1 --out x --head-activations q8 | "
                + "--head-activations must be int8 or f32: 'q8', for example --head-activations f32",
        "generate | --prompt x --max-tokens 0      | --max-tokens must be at least 1: 0",
        "generate | --prompt x --temperature -1    | --temperature must be 0.0 to 100.0: -1.0",
        "generate | --prompt x --temperature NaN   | --temperature must be 0.0 to 100.0: NaN",
        "generate | --prompt x --top-p 0           | --top-p must be 1.4E-45 to 1.0: 0.0",
        "generate | --prompt x --min-p 1.5         | --min-p must be 0.0 to 1.0: 1.5",
        "generate | --prompt x --stop=             | --stop must not be empty",
        "bench    | --batch 1,0                    | --batch must be 1 to 1024: 0",
        "bench    | --repeat 0                     | --repeat must be at least 1: 0",
        "logits   | --tokens 1,-2 --out x          | --tokens must be at least 0: -2",
        "logits   | --tokens 1                     | --out FILE is missing, for example --out logits.f32"})
    void shouldRefuseWrongValues(String name, String args, String message) {
        assertEquals(new Run(2, "", "tidestream: %s (see %s --help)\n".formatted(message, name)),
                Run.of(command(name), args.split(" ", -1)));
    }

    @ParameterizedTest
    @CsvSource({"serve", "generate", "bench", "logits"})
    void shouldExplainThemselvesWithExamples(String name) {
        Run help = Run.of(command(name), "--help");
        assertEquals(0, help.code());
        assertTrue(help.out().contains("Usage: " + name) && help.out().contains("tidestream " + name), help.out());
    }
}
