package dev.tidestream.server.adapters;

import java.nio.file.Path;
import java.util.List;
import java.util.function.LongUnaryOperator;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.server.adapters.AdapterRefusedException.Reason;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.HuggingFaceFolder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Names, limits and leases; memory counts until the last lease has ended. */
class AdapterRegistryTest {
    private static final String SUITE = "ties/suite";
    private static final long ROOM = 1 << 20;

    private CurrentEpoch epochs;

    @BeforeEach
    void load() {
        try (ModelSource source = HuggingFaceFolder.open(SharedData.path(SUITE).resolve("base-tied-embed-only/hf"))) {
            epochs = new CurrentEpoch(ModelEpoch.of(1, Goldens.load(source),
                    model -> model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, 16)));
        }
    }

    @AfterEach
    void close() {
        epochs.close();
    }

    private LongUnaryOperator budget = weights -> Long.MAX_VALUE;

    private AdapterRegistry registry(int maxAdapters, long maxBytes) {
        return new AdapterRegistry(new AdapterLimits(maxAdapters, maxBytes, SharedData.path(SUITE)), budget, epochs, "base");
    }

    private static Path adapter(String of) {
        return SharedData.path(SUITE).resolve("adapter-" + of).resolve("adapter");
    }

    private static void assertRefused(Reason reason, Executable call) {
        assertEquals(reason, assertThrows(AdapterRefusedException.class, call).reason());
    }

    @Test
    void shouldKeepTheMemoryOfWhatIsStillUsed() {
        try (AdapterRegistry registry = registry(2, ROOM)) {
            ServedAdapter first = registry.load("a", adapter("qv"));
            long bytes = registry.bytes();
            assertTrue(bytes > 0);
            AdapterLease lease = first.lease().orElseThrow();
            assertEquals(1, registry.unload("a").status().streams());
            assertTrue(registry.find("a").isEmpty());
            assertEquals(bytes, registry.bytes());
            ServedAdapter second = registry.load("a", adapter("qv"));
            assertNotEquals(first.number(), second.number());
            assertEquals(first.sha256(), second.sha256());
            assertEquals(2 * bytes, registry.bytes());
            lease.close();
            lease.close();
            assertEquals(bytes, registry.bytes());
            assertTrue(first.lease().isEmpty());
            registry.unload("a");
            assertEquals(0, registry.bytes());
        }
    }

    @Test
    void shouldTakeWhatTheMemoryBudgetLeavesBesideWeights() {
        long adapterBytes;
        try (AdapterRegistry registry = registry(2, ROOM)) {
            registry.load("a", adapter("qv"));
            adapterBytes = registry.bytes();
        }
        long weightBytes;
        try (Lease lease = epochs.lease()) {
            weightBytes = lease.epoch().loaded().familyBytes();
        }
        long limit = weightBytes + 2 * adapterBytes - 1;
        budget = weights -> limit - weights;
        try (AdapterRegistry registry = registry(2, ROOM)) {
            registry.load("a", adapter("qv"));
            AdapterRefusedException refused = assertThrows(AdapterRefusedException.class, () -> registry.load("b", adapter("qv")));
            assertEquals(Reason.BUDGET, refused.reason());
            assertEquals("adapter b does not fit the memory budget: bytes=%d, left=%d, adapter_bytes=%d, weight_bytes=%d"
                    .formatted(adapterBytes, adapterBytes - 1, adapterBytes, weightBytes), refused.getMessage());
            assertEquals(adapterBytes, registry.bytes());
        }
    }

    @Test
    void shouldRefuseBeyondItsLimitsAndChangeNothing() {
        try (AdapterRegistry registry = registry(2, ROOM)) {
            registry.load("a", adapter("qv"));
            assertRefused(Reason.ALREADY_LOADED, () -> registry.load("a", adapter("head")));
            assertRefused(Reason.ALREADY_LOADED, () -> registry.load("base", adapter("head")));
            assertRefused(Reason.INVALID_NAME, () -> registry.load("-a b", adapter("head")));
            assertRefused(Reason.INVALID_ADAPTER, () -> registry.load("b", adapter("wrong-shape")));
            assertRefused(Reason.INVALID_ADAPTER, () -> registry.load("b", Path.of("nothing")));
            assertRefused(Reason.NOT_LOADED, () -> registry.unload("b"));
            registry.load("b", adapter("head"));
            long bytes = registry.bytes();
            assertRefused(Reason.LIMIT, () -> registry.load("c", adapter("head")));
            assertEquals(bytes, registry.bytes());
            assertEquals(List.of("a", "b"), registry.all().stream().map(ServedAdapter::name).toList());
        }
        try (AdapterRegistry small = registry(2, 20_000)) {
            assertRefused(Reason.LIMIT, () -> small.load("a", adapter("qv")));
            assertEquals(0, small.bytes());
        }
    }
}
