package dev.tidestream.server;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The import law of docs/ARCHITECTURE.md. Rooms that are not built yet are tolerated. */
@AnalyzeClasses(packages = "dev.tidestream", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureArchTest {

    @ArchTest
    static void shouldHaveLoadedTheClasses(JavaClasses classes) {
        for (String name : new String[] {
            "protocol.ErrorCode", "model.tensor.WorkerTeam", "model.packed.PackedCache", "model.sampling.Sampler",
            "server.engine.TokenEngine",
            "server.scheduler.Scheduler", "server.epoch.CurrentEpoch", "server.metrics.Metrics",
            "server.admin.AdminVerticle", "server.admin.bus.AdminBus", "server.transport.AdminSession"
        }) {
            assertTrue(classes.contain("dev.tidestream." + name), name);
        }
    }

    @ArchTest
    static final ArchRule ONE_DOOR_TO_SIMD = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.model.tensor")
            .or().haveSimpleNameNotStartingWith("Vector")
            .should().dependOnClassesThat().resideInAPackage("jdk.incubator.vector..").allowEmptyShould(true);

    /** Machine code is written by the kernels, and what writes it knows nothing of them. */
    @ArchTest
    static final ArchRule MACHINE_BEHIND_KERNELS = noClasses()
            .that().resideOutsideOfPackages("dev.tidestream.model.tensor", "dev.tidestream.model.machine")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.model.machine");

    @ArchTest
    static final ArchRule MACHINE = forbidRooms(
            "machine", "gguf", "tokenizer", "tensor", "transformer", "tied", "sampling", "nd4j", "packed", "patch");

    @ArchTest
    static final ArchRule ND4J_BEHIND_ITS_BRIDGE = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.model.nd4j")
            .should().dependOnClassesThat().resideInAnyPackage("org.nd4j..", "org.bytedeco..");

    @ArchTest
    static final ArchRule BRIDGE_KNOWS_TENSORS_ONLY =
            forbidRooms("nd4j", "patch", "gguf", "tokenizer", "transformer", "tied", "sampling");

    @ArchTest
    static final ArchRule SCHEDULER_AND_EPOCH = forbid("dev.tidestream.server.[scheduler|epoch]..",
            "io.vertx..", "reactor..", "org.reactivestreams..", "dev.tidestream.server.engine..",
            "dev.tidestream.server.transport..", "dev.tidestream.server.admin..", "dev.tidestream.server.cli..");

    @ArchTest
    static final ArchRule EPOCH_KNOWS_NO_SCHEDULER = forbid("dev.tidestream.server.epoch..", "dev.tidestream.server.scheduler..");

    @ArchTest
    static final ArchRule ENGINE = forbid("dev.tidestream.server.engine..",
            "io.vertx..", "io.netty..", "dev.tidestream.server.transport..", "dev.tidestream.server.admin..",
            "dev.tidestream.server.cli..");

    @ArchTest
    static final ArchRule TRANSPORT = forbid("dev.tidestream.server.transport..",
            "dev.tidestream.server.scheduler..", "dev.tidestream.server.epoch..", "dev.tidestream.model..",
            "dev.tidestream.server.cli..");

    /** Of admin, transport sees the bus and nothing behind it. */
    @ArchTest
    static final ArchRule TRANSPORT_AND_ADMIN = forbid("dev.tidestream.server.transport..", "dev.tidestream.server.admin");

    /** RFC 6455 and HTTP know neither each other nor what is said over them. */
    @ArchTest
    static final ArchRule TRANSPORT_PARTS = forbid("dev.tidestream.server.transport.[websocket|http|common]..",
            "dev.tidestream.server.transport", "dev.tidestream.server.engine..", "dev.tidestream.server.admin..",
            "dev.tidestream.protocol..");

    @ArchTest
    static final ArchRule WEBSOCKET_AND_HTTP = forbid(
            "dev.tidestream.server.transport.websocket..", "dev.tidestream.server.transport.http..");

    @ArchTest
    static final ArchRule HTTP_AND_WEBSOCKET = forbid(
            "dev.tidestream.server.transport.http..", "dev.tidestream.server.transport.websocket..");

    @ArchTest
    static final ArchRule ADMIN = forbid("dev.tidestream.server.admin..",
            "dev.tidestream.server.engine..", "dev.tidestream.server.scheduler..", "dev.tidestream.server.transport..",
            "dev.tidestream.server.cli..");

    @ArchTest
    static final ArchRule ADMIN_BUS = forbid("dev.tidestream.server.admin.bus..",
            "dev.tidestream.server.admin", "dev.tidestream.server.epoch..", "dev.tidestream.model..");

    @ArchTest
    static final ArchRule METRICS = forbid("dev.tidestream.server.metrics..",
            "io.vertx..", "io.netty..", "reactor..", "org.reactivestreams..", "dev.tidestream.protocol..",
            "dev.tidestream.server.transport..", "dev.tidestream.server.admin..", "dev.tidestream.server.cli..",
            "dev.tidestream.server.engine..", "dev.tidestream.server.scheduler..", "dev.tidestream.server.epoch..",
            "dev.tidestream.model.gguf..", "dev.tidestream.model.tokenizer..", "dev.tidestream.model.tensor..",
            "dev.tidestream.model.transformer..", "dev.tidestream.model.sampling..");

    @ArchTest
    static final ArchRule METRICS_LIBRARIES_IN_THEIR_ROOM = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.metrics..")
            .should().dependOnClassesThat().resideInAnyPackage("io.micrometer..", "io.prometheus..", "org.HdrHistogram..");

    @ArchTest
    static final ArchRule MODEL = forbid("dev.tidestream.model..",
            "dev.tidestream.server..", "dev.tidestream.protocol..", "io.vertx..", "reactor..", "org.reactivestreams..");

    @ArchTest
    static final ArchRule PROTOCOL = forbid("dev.tidestream.protocol..",
            "dev.tidestream.server..", "dev.tidestream.model..", "io.vertx..", "reactor..");

    @ArchTest
    static final ArchRule GGUF = forbidRooms("gguf", "tokenizer", "tensor", "transformer", "tied", "sampling", "nd4j", "packed");

    @ArchTest
    static final ArchRule TOKENIZER = forbidRooms("tokenizer", "tensor", "transformer", "tied", "sampling", "nd4j");

    @ArchTest
    static final ArchRule TENSOR = forbidRooms(
            "tensor", "gguf", "tokenizer", "transformer", "tied", "sampling", "nd4j", "packed");

    @ArchTest
    static final ArchRule PATCH = forbidRooms("patch", "gguf", "tokenizer", "transformer", "tied", "sampling", "nd4j");

    @ArchTest
    static final ArchRule PACKED = forbidRooms("packed", "tokenizer", "transformer", "tied", "sampling", "patch", "nd4j");

    @ArchTest
    static final ArchRule TIED = forbidRooms("tied", "gguf", "tokenizer", "transformer", "sampling");

    @ArchTest
    static final ArchRule TRANSFORMER = forbidRooms("transformer", "tokenizer", "sampling", "nd4j");

    @ArchTest
    static final ArchRule SAMPLING = forbidRooms("sampling", "gguf", "tokenizer", "transformer", "tied", "nd4j");

    @ArchTest
    static final ArchRule NO_CYCLES = slices().matching("dev.tidestream.(**)").should().beFreeOfCycles();

    private static ArchRule forbid(String room, String... packages) {
        return noClasses().that().resideInAPackage(room).should().dependOnClassesThat().resideInAnyPackage(packages)
                .allowEmptyShould(true);
    }

    private static ArchRule forbidRooms(String room, String... others) {
        String[] packages = new String[others.length];
        for (int i = 0; i < others.length; i++) {
            packages[i] = "dev.tidestream.model." + others[i] + "..";
        }
        return forbid("dev.tidestream.model." + room + "..", packages);
    }
}
