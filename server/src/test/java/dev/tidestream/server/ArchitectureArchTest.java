package dev.tidestream.server;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.patch.LowRankProduct;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The import law of docs/ARCHITECTURE.md. Rooms that are not built yet are tolerated. */
@AnalyzeClasses(
        packages = "dev.tidestream",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureArchTest.NoTestJars.class})
class ArchitectureArchTest {

    /** Tests of other modules come in a jar. */
    static final class NoTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    @ArchTest
    static void shouldHaveLoadedTheClasses(JavaClasses classes) {
        for (String name : new String[] {
            "console.Printable", "protocol.ErrorCode", "model.tensor.WorkerTeam", "model.architecture.Blueprint",
            "model.format.TensorFormat", "model.format.q50.Q50", "model.kernels.scalar.ScalarKernels",
            "model.kernels.vector.VectorKernels", "model.kernels.jit.GeneratedKernels", "model.packed.PackedCache",
            "model.sampling.Sampler", "model.adapter.AdapterRows", "server.adapters.AdapterRegistry", "server.engine.TokenEngine",
            "server.scheduler.Scheduler", "server.epoch.CurrentEpoch", "server.metrics.Metrics", "server.logging.EventLog",
            "server.admin.channel.AdminVerticle", "server.admin.channel.bus.AdminBus", "server.admin.service.AdminService",
            "server.admin.store.UpdateLog", "server.admin.build.EpochBuilder", "server.admin.transaction.ChangePlanner",
            "server.pacing.StepBreak", "server.chat.ChatTemplate", "server.chat.jinja.run.Evaluator",
            "server.safetensors.SafetensorsFile", "server.huggingface.HuggingFaceFolder",
            "server.huggingface.tokenizer.FolderTokenizer", "server.transport.AdminSession", "server.transport.endpoint.Endpoints",
            "server.transport.stream.ClientStream", "server.openai.OpenAiEndpoints", "server.openai.lanes.ResponseLanes",
            "server.console.ConsoleEndpoints", "server.keys.ApiKeys", "server.tracing.RequestTrace", "server.app.TidestreamServer",
            "server.warmup.StreamWarmUp", "server.bench.HeadBench", "server.cli.Main"
        }) {
            assertTrue(classes.contain("dev.tidestream." + name), name);
        }
    }

    @ArchTest
    static final ArchRule VECTOR_API_IN_ITS_PACKAGES = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.model.kernels.vector..")
            .should().dependOnClassesThat().resideInAPackage("jdk.incubator.vector..");

    /** Machine code is written by the generators, and the assembler knows nothing of them. */
    @ArchTest
    static final ArchRule MACHINE_BEHIND_GENERATED_KERNELS = noClasses()
            .that().resideOutsideOfPackages("dev.tidestream.model.kernels.jit..", "dev.tidestream.model.machine")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.model.machine");

    /** Who computes is handed its kernels; only what puts a process together chooses some. */
    @ArchTest
    static final ArchRule KERNELS_ARE_HANDED_IN = noClasses()
            .that().resideOutsideOfPackages("dev.tidestream.model.kernels..", "dev.tidestream.server.app..",
                    "dev.tidestream.server.bench..", "dev.tidestream.server.cli..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.model.kernels..");

    /** A format says what it is, and knows nothing of who computes with it. */
    @ArchTest
    static final ArchRule FORMAT = classes().that().resideInAPackage("dev.tidestream.model.format..")
            .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", "dev.tidestream.model.format..");

    /** A switch reads ordinals. */
    @ArchTest
    static final ArchRule NO_SWITCH_OVER_FORMATS = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.model.format..")
            .should().callMethod(TensorFormat.class, "ordinal");

    @ArchTest
    static final ArchRule TENSOR_KNOWS_NO_KERNELS = forbidRooms("tensor", "kernels", "machine");

    /** The implementations are known to {@code KernelSelection} alone; each stands on the oracle, none on another. */
    @ArchTest
    static final ArchRule SCALAR_KERNELS = forbidRooms("kernels.scalar", "kernels.vector", "kernels.jit", "machine");

    @ArchTest
    static final ArchRule VECTOR_KERNELS = forbidRooms("kernels.vector", "kernels.jit", "machine");

    @ArchTest
    static final ArchRule GENERATED_KERNELS = forbidRooms("kernels.jit", "kernels.vector");

    @ArchTest
    static final ArchRule KERNELS =
            forbidRooms("kernels", "gguf", "tokenizer", "transformer", "tied", "sampling", "nd4j", "packed", "patch");

    @ArchTest
    static final ArchRule MACHINE = forbidRooms(
            "machine", "gguf", "tokenizer", "tensor", "kernels", "transformer", "tied", "sampling", "nd4j", "packed", "patch");

    @ArchTest
    static final ArchRule ND4J_BEHIND_ITS_BRIDGE = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.model.nd4j")
            .should().dependOnClassesThat().resideInAnyPackage("org.nd4j..", "org.bytedeco..");

    @ArchTest
    static final ArchRule BRIDGE_KNOWS_TENSORS_ONLY =
            forbidRooms("nd4j", "gguf", "tokenizer", "transformer", "tied", "sampling", "kernels");

    /** It is a product for patches, and knows no more of them than what that is. */
    @ArchTest
    static final ArchRule BRIDGE_AND_PATCHES = noClasses()
            .that().resideInAPackage("dev.tidestream.model.nd4j")
            .should().dependOnClassesThat(resideInAPackage("dev.tidestream.model.patch").and(not(type(LowRankProduct.class))));

    /** Of tuning it knows what a product is, and no more. */
    @ArchTest
    static final ArchRule BRIDGE_AND_TUNING = noClasses()
            .that().resideInAPackage("dev.tidestream.model.nd4j")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.model.tuning");

    @ArchTest
    static final ArchRule TUNING = forbidRooms(
            "tuning", "gguf", "tokenizer", "kernels", "machine", "tied", "sampling", "nd4j", "packed", "patch");

    @ArchTest
    static final ArchRule SCHEDULER_AND_EPOCH = forbid("dev.tidestream.server.[scheduler|epoch]..",
            "io.vertx..", "reactor..", "org.reactivestreams..", "dev.tidestream.server.engine..",
            "dev.tidestream.server.transport..", "dev.tidestream.server.admin..");

    @ArchTest
    static final ArchRule FAIR_TURNS = forbid("dev.tidestream.server.scheduler.fair..", "dev.tidestream.server.scheduler",
            "dev.tidestream.server.scheduler.kv..", "dev.tidestream.server.epoch..", "dev.tidestream.model..");

    @ArchTest
    static final ArchRule EPOCH_KNOWS_NO_SCHEDULER = forbid("dev.tidestream.server.epoch..", "dev.tidestream.server.scheduler..");

    @ArchTest
    static final ArchRule ENGINE = forbid("dev.tidestream.server.engine..",
            "io.vertx..", "io.netty..", "dev.tidestream.server.transport..", "dev.tidestream.server.admin..");

    @ArchTest
    static final ArchRule TRANSPORT =
            forbid("dev.tidestream.server.transport..", "dev.tidestream.server.[scheduler|epoch]..", "dev.tidestream.model..");

    /** Of admin, transport sees the bus and nothing behind it. */
    @ArchTest
    static final ArchRule TRANSPORT_AND_ADMIN = forbid("dev.tidestream.server.transport..",
            "dev.tidestream.server.admin", "dev.tidestream.server.admin.channel", "dev.tidestream.server.admin.service..",
            "dev.tidestream.server.admin.build..", "dev.tidestream.server.admin.store..");

    /** RFC 6455 and HTTP know neither each other nor what is said over them. */
    @ArchTest
    static final ArchRule TRANSPORT_PARTS = forbid("dev.tidestream.server.transport.[websocket|http|common]..",
            "dev.tidestream.server.transport", "dev.tidestream.server.engine..", "dev.tidestream.server.admin..",
            "dev.tidestream.protocol..");

    /** Endpoints and streams know no wire; wires know them. */
    @ArchTest
    static final ArchRule TRANSPORT_AND_WIRES = forbid("dev.tidestream.server.transport..", "dev.tidestream.server.openai..");

    @ArchTest
    static final ArchRule ENDPOINTS_AND_STREAMS = forbid("dev.tidestream.server.transport.[endpoint|stream]..",
            "dev.tidestream.server.transport", "dev.tidestream.server.transport.websocket..", "dev.tidestream.server.admin..");

    @ArchTest
    static final ArchRule VERTX_WEB_IN_ENDPOINTS = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.transport.endpoint")
            .should().dependOnClassesThat().resideInAPackage("io.vertx.ext.web..");

    /** Clients of the engine: of the model it sees the tokenizer. */
    @ArchTest
    static final ArchRule OPENAI = noClasses().that().resideInAPackage("dev.tidestream.server.openai..")
            .should().dependOnClassesThat(resideInAPackage("dev.tidestream.model..")
                    .and(not(resideInAPackage("dev.tidestream.model.tokenizer"))))
            .orShould().dependOnClassesThat().resideInAnyPackage(
                    "dev.tidestream.server.[scheduler|epoch]..", "dev.tidestream.server.transport");

    /** What it keeps is in the same kind of directory as versions of the weights. */
    @ArchTest
    static final ArchRule OPENAI_AND_ADMIN = noClasses().that().resideInAPackage("dev.tidestream.server.openai..")
            .should().dependOnClassesThat(resideInAPackage("dev.tidestream.server.admin..")
                    .and(not(resideInAPackage("dev.tidestream.server.admin.store.directory"))));

    /** Of its parts, lanes alone know that there are WebSockets. */
    @ArchTest
    static final ArchRule OPENAI_OVER_HTTP = noClasses().that().resideInAPackage("dev.tidestream.server.openai..")
            .and().resideOutsideOfPackage("dev.tidestream.server.openai.lanes")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.transport.websocket..");

    @ArchTest
    static final ArchRule WEBSOCKET_AND_HTTP = forbid(
            "dev.tidestream.server.transport.websocket..", "dev.tidestream.server.transport.http..");

    @ArchTest
    static final ArchRule HTTP_AND_WEBSOCKET = forbid(
            "dev.tidestream.server.transport.http..", "dev.tidestream.server.transport.websocket..");

    /** Who a client is and how much it may ask for, whatever asks. */
    @ArchTest
    static final ArchRule KEYS = noClasses().that().resideInAPackage("dev.tidestream.server.keys..")
            .should().dependOnClassesThat(resideInAPackage("dev.tidestream.server..")
                    .and(not(resideInAPackage("dev.tidestream.server.keys.."))))
            .orShould().dependOnClassesThat().resideInAnyPackage("io.[vertx|netty]..", "reactor..", "dev.tidestream.[model|protocol]..");

    @ArchTest
    static final ArchRule BUCKETS_IN_KEYS = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.keys")
            .should().dependOnClassesThat().resideInAPackage("io.github.bucket4j..");

    @ArchTest
    static final ArchRule ADMIN = forbid("dev.tidestream.server.admin..",
            "dev.tidestream.server.engine..", "dev.tidestream.server.scheduler..", "dev.tidestream.server.transport..");

    @ArchTest
    static final ArchRule ADMIN_BUS = forbid("dev.tidestream.server.admin.channel.bus..",
            "dev.tidestream.server.admin", "dev.tidestream.server.admin.channel", "dev.tidestream.server.epoch..",
            "dev.tidestream.server.admin.[service|build|store]..", "dev.tidestream.model..");

    /** The way in knows the desk and nothing behind it. */
    @ArchTest
    static final ArchRule ADMIN_CHANNEL = forbid("dev.tidestream.server.admin.channel..",
            "dev.tidestream.server.admin.service..", "dev.tidestream.server.admin.build..", "dev.tidestream.server.admin.store..",
            "dev.tidestream.server.epoch..", "dev.tidestream.model..");

    /** The service stands on the builder, the builder on the store, and all on what administrators may ask for. */
    @ArchTest
    static final ArchRule ADMIN_SERVICE = forbid("dev.tidestream.server.admin.service..", "dev.tidestream.server.admin.channel..");

    @ArchTest
    static final ArchRule ADMIN_BUILD =
            forbid("dev.tidestream.server.admin.build..", "dev.tidestream.server.admin.[channel|service|transaction]..");

    @ArchTest
    static final ArchRule ADMIN_STORE =
            forbid("dev.tidestream.server.admin.store..", "dev.tidestream.server.admin.[channel|service|build|transaction]..");

    @ArchTest
    static final ArchRule VERTX_IN_THE_CHANNEL = forbid("dev.tidestream.server.admin.[service|build|store]..", "io.vertx..");

    /** Whose turn it is concerns neither who decodes nor who builds. */
    @ArchTest
    static final ArchRule PACING = classes().that().resideInAPackage("dev.tidestream.server.pacing..")
            .should().onlyDependOnClassesThat().resideInAnyPackage(
                    "java..", "org.jspecify..", "dev.tidestream.model.tensor", "dev.tidestream.server.pacing..");

    /** Messages become text, and that becomes tokens: what is done with them is nothing to the template. */
    @ArchTest
    static final ArchRule CHAT = forbid("dev.tidestream.server.chat..",
            "io.vertx..", "reactor..", "dev.tidestream.server.[admin|app|engine|epoch|scheduler|transport]..",
            "dev.tidestream.model.tokenizer.[normalizer|pretokenizer|regex]..", "dev.tidestream.model.transformer..");

    /** The engine needs the JDK alone, and none of its reflection. */
    @ArchTest
    static final ArchRule JINJA = classes().that().resideInAPackage("dev.tidestream.server.chat.jinja..")
            .should().onlyDependOnClassesThat(resideInAPackage("java..").or(resideInAPackage("org.jspecify.."))
                    .or(resideInAPackage("dev.tidestream.server.chat.jinja..")).and(not(resideInAPackage("java.lang.reflect.."))));

    @ArchTest
    static final ArchRule SAFETENSORS = forbid("dev.tidestream.server.safetensors..",
            "dev.tidestream.server.admin..", "dev.tidestream.protocol.admin..", "dev.tidestream.model..");

    /** Folders are data: what computes, and who serves, is no concern of theirs. */
    @ArchTest
    static final ArchRule HUGGINGFACE = classes().that().resideInAPackage("dev.tidestream.server.huggingface..")
            .should().onlyDependOnClassesThat().resideInAnyPackage(
                    "java..", "org.jspecify..", "com.fasterxml.jackson..", "dev.tidestream.protocol", "dev.tidestream.model.gguf",
                    "dev.tidestream.model.architecture", "dev.tidestream.model.tokenizer..", "dev.tidestream.server.safetensors",
                    "dev.tidestream.server.huggingface..");

    @ArchTest
    static final ArchRule LOGGING = forbid("dev.tidestream.server.logging..", "io.vertx..", "io.netty..", "reactor..",
            "dev.tidestream.protocol..", "dev.tidestream.model..", "dev.tidestream.server.admin..",
            "dev.tidestream.server.engine..", "dev.tidestream.server.epoch..", "dev.tidestream.server.metrics..",
            "dev.tidestream.server.scheduler..", "dev.tidestream.server.transport..");

    /** Where settings come from is one thing, what they are another. */
    @ArchTest
    static final ArchRule CONFIGURATION = classes().that().resideInAPackage("dev.tidestream.server.configuration..")
            .should().onlyDependOnClassesThat().resideInAnyPackage(
                    "java..", "org.jspecify..", "org.slf4j..", "org.snakeyaml..", "dev.tidestream.console..",
                    "dev.tidestream.server.configuration..");

    @ArchTest
    static final ArchRule YAML_IN_ITS_ROOM = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.configuration..")
            .should().dependOnClassesThat().resideInAPackage("org.snakeyaml..");

    @ArchTest
    static final ArchRule LOGBACK_IN_ITS_ROOM = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.logging..")
            .should().dependOnClassesThat().resideInAPackage("ch.qos.logback..");

    @ArchTest
    static final ArchRule METRICS = forbid("dev.tidestream.server.metrics..",
            "io.vertx..", "io.netty..", "reactor..", "org.reactivestreams..", "dev.tidestream.protocol..",
            "dev.tidestream.server.transport..", "dev.tidestream.server.admin..",
            "dev.tidestream.server.engine..", "dev.tidestream.server.scheduler..", "dev.tidestream.server.epoch..",
            "dev.tidestream.model.gguf..", "dev.tidestream.model.tokenizer..", "dev.tidestream.model.tensor..",
            "dev.tidestream.model.transformer..", "dev.tidestream.model.architecture..", "dev.tidestream.model.sampling..");

    @ArchTest
    static final ArchRule METRICS_LIBRARIES_IN_THEIR_ROOM = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.metrics..")
            .should().dependOnClassesThat().resideInAnyPackage("io.micrometer..", "io.prometheus..");

    @ArchTest
    static final ArchRule MODEL = forbid("dev.tidestream.model..",
            "dev.tidestream.server..", "dev.tidestream.protocol..", "io.vertx..", "reactor..", "org.reactivestreams..");

    @ArchTest
    static final ArchRule PROTOCOL = forbid("dev.tidestream.protocol..",
            "dev.tidestream.server..", "dev.tidestream.model..", "io.vertx..", "reactor..");

    /** What all commands have in common knows none of them. */
    @ArchTest
    static final ArchRule CONSOLE = classes().that().resideInAPackage("dev.tidestream.console..")
            .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "picocli..", "org.jspecify..", "dev.tidestream.console..");

    /** Text that leaves is made printable where it leaves: what computes and what goes over the wire keep it as it is. */
    @ArchTest
    static final ArchRule CONSOLE_AND_COMPUTATION = forbid("dev.tidestream.[model|protocol]..", "dev.tidestream.console..");

    /** Else the case of letters would depend on the user's language. */
    @ArchTest
    static final ArchRule CASE_WITH_A_LOCALE = noClasses()
            .should().callMethod(String.class, "toLowerCase").orShould().callMethod(String.class, "toUpperCase");

    @ArchTest
    static final ArchRule GGUF = forbidRooms("gguf", "tokenizer", "tensor", "kernels", "transformer", "tied", "sampling", "nd4j", "packed");

    @ArchTest
    static final ArchRule ARCHITECTURE = forbidRooms(
            "architecture", "tokenizer", "kernels", "machine", "transformer", "tied", "sampling", "nd4j", "packed", "patch");

    @ArchTest
    static final ArchRule TOKENIZER = forbidRooms("tokenizer", "tensor", "kernels", "transformer", "tied", "sampling", "nd4j");

    @ArchTest
    static final ArchRule TENSOR = forbidRooms("tensor", "gguf", "tokenizer", "transformer", "tied", "sampling", "nd4j", "packed");

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

    /** The command line knows every room, and no room knows it. */
    @ArchTest
    static final ArchRule NOBODY_KNOWS_THE_COMMAND_LINE = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.cli..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.cli..");

    /** A server can be embedded: what puts it together needs neither a command line nor a terminal. */
    @ArchTest
    static final ArchRule PICOCLI_IN_THE_COMMAND_LINE = noClasses()
            .that().resideInAPackage("dev.tidestream.server..")
            .and().resideOutsideOfPackage("dev.tidestream.server.cli..")
            .should().dependOnClassesThat().resideInAnyPackage("picocli..");

    /** Only the command line knows who puts a server together. */
    @ArchTest
    static final ArchRule NOBODY_BELOW_KNOWS_THE_APP = noClasses()
            .that().resideOutsideOfPackages("dev.tidestream.server.app..", "dev.tidestream.server.cli..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.app..");

    @ArchTest
    static final ArchRule WARM_UP = forbid("dev.tidestream.server.warmup..",
            "io.vertx..", "dev.tidestream.server.admin..", "dev.tidestream.server.transport..");

    /** Every package is a slice. */
    @ArchTest
    static final ArchRule NO_CYCLES = slices().matching("dev.tidestream.(**)").should().beFreeOfCycles();

    private static ArchRule forbid(String room, String... packages) {
        return noClasses().that().resideInAPackage(room).should().dependOnClassesThat().resideInAnyPackage(packages).allowEmptyShould(true);
    }

    private static ArchRule forbidRooms(String room, String... others) {
        String[] packages = new String[others.length];
        for (int i = 0; i < others.length; i++) {
            packages[i] = "dev.tidestream.model." + others[i] + "..";
        }
        return forbid("dev.tidestream.model." + room + "..", packages);
    }
}
