package dev.tidestream.server.cli.bench;

import java.util.List;
import java.util.concurrent.Callable;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BenchOptionsTest {

    private static class Bench extends BenchOptions implements Callable<Integer> {
        @Override
        public Integer call() {
            return 0;
        }
    }

    private static Bench taken(String... args) {
        Bench bench = new Bench();
        assertEquals(new Run(0, "", ""), Run.of(bench, args));
        return bench;
    }

    @Test
    void shouldKeepTheHeadExactUnlessToldOtherwise() {
        assertEquals(new Precision(ActivationPrecision.F32, ActivationPrecision.F32, KvType.F32),
                taken("--activations", "f32", "--kv-type", "f32").compute.config().precision());
        ServerConfig.Compute int8 = taken("--head-activations", "int8").compute.config();
        assertEquals(new Precision(ActivationPrecision.INT8, ActivationPrecision.INT8, KvType.F16), int8.precision());
        assertTrue(int8.words().contains("activations=int8, head-activations=int8, kv-type=f16"), int8.words());
    }

    @Test
    void shouldTakeWhatIsToBeMeasured() {
        Bench bench = taken();
        assertEquals(List.of(1, 4, 16), bench.batches());
        assertEquals(List.of(128, 32, 3), List.of(bench.promptTokens(), bench.genTokens(), bench.repeat()));
        assertEquals(List.of(2, 8), taken("--batch", "2,8").batches());
    }
}
