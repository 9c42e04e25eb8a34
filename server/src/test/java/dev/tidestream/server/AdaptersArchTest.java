package dev.tidestream.server;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/** The import law of adapters. */
@AnalyzeClasses(
        packages = "dev.tidestream",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureArchTest.NoTestJars.class})
class AdaptersArchTest {

    /** Weights and arithmetic of adapters know no files, and nothing of the pass that they are part of. */
    @ArchTest
    static final ArchRule ADAPTERS_OF_THE_MODEL = noClasses().that().resideInAPackage("dev.tidestream.model.adapter..")
            .should().dependOnClassesThat().resideInAnyPackage(
                    "dev.tidestream.model.[gguf|tokenizer|kernels|transformer|tied|sampling|nd4j|packed|patch]..");

    @ArchTest
    static final ArchRule SERVED_ADAPTERS = noClasses().that().resideInAPackage("dev.tidestream.server.adapters..")
            .should().dependOnClassesThat().resideInAnyPackage("io.vertx..", "reactor..", "org.reactivestreams..",
                    "dev.tidestream.server.[scheduler|engine|transport|admin]..");

    @ArchTest
    static final ArchRule FILES_BEHIND_THE_REGISTRY = noClasses().that().resideOutsideOfPackage("dev.tidestream.server.adapters..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.adapters.file..");

    /** Leases of a sequence know nothing of when it has its turn. */
    @ArchTest
    static final ArchRule WEIGHTS_OF_A_SEQUENCE = noClasses().that().resideInAPackage("dev.tidestream.server.scheduler.weights..")
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.server.scheduler", "dev.tidestream.server.scheduler.fair..");
}
