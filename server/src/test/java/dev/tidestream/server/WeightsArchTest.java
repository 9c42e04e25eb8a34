package dev.tidestream.server;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/** The import law of updates of many tensors. */
@AnalyzeClasses(
        packages = "dev.tidestream.server",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureArchTest.NoTestJars.class})
class WeightsArchTest {

    /** Over HTTP one knows the desks, and nothing behind them. */
    @ArchTest
    static final ArchRule WEIGHTS_KNOW_DESKS = noClasses().that().resideInAPackage("dev.tidestream.server.weights..")
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.server.admin.[channel|service|build|store|transaction]..",
                    "dev.tidestream.server.epoch..", "dev.tidestream.server.engine..", "dev.tidestream.model..");

    /** What is tried is seen from epochs and logits: who schedules, streams and administrates is no concern of it. */
    @ArchTest
    static final ArchRule TRIALS = noClasses().that().resideInAPackage("dev.tidestream.server.canary..")
            .should().dependOnClassesThat().resideInAnyPackage("io.vertx..", "reactor..", "org.reactivestreams..",
                    "dev.tidestream.server.[admin|app|engine|transport|weights]..", "dev.tidestream.server.scheduler");

    /** Who shows logits knows nothing of who looks. */
    @ArchTest
    static final ArchRule SCHEDULER_AND_TRIALS = noClasses()
            .that().resideInAnyPackage("dev.tidestream.server.scheduler..", "dev.tidestream.server.epoch..", "dev.tidestream.server.engine..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.canary..");

    /** Parts become changes of tensors that are held; who builds of them is no concern of theirs. */
    @ArchTest
    static final ArchRule PARTS_KNOW_NO_BUILDER = noClasses().that().resideInAPackage("dev.tidestream.server.admin.transaction..")
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.server.admin.[channel|service|build]..",
                    "dev.tidestream.server.epoch..", "io.vertx..");

    /** Open transactions are files; what they become is no concern of theirs. */
    @ArchTest
    static final ArchRule OPEN_ONES_KNOW_FILES = noClasses().that().resideInAPackage("dev.tidestream.server.admin.store.open..")
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.server.admin.store", "dev.tidestream.model..", "io.vertx..");

    /** Names are words and arithmetic. */
    @ArchTest
    static final ArchRule NAMES_KNOW_NOTHING = noClasses().that().resideInAPackage("dev.tidestream.server.huggingface.names..")
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.model..", "dev.tidestream.server.safetensors..",
                    "com.fasterxml..");
}
