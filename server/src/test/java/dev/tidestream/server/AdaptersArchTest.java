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
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.model.gguf..", "dev.tidestream.model.tokenizer..",
                    "dev.tidestream.model.kernels..", "dev.tidestream.model.transformer..", "dev.tidestream.model.tied..",
                    "dev.tidestream.model.sampling..", "dev.tidestream.model.nd4j..", "dev.tidestream.model.packed..");

    @ArchTest
    static final ArchRule ADAPTERS = noClasses().that().resideInAPackage("dev.tidestream.server.adapters..")
            .should().dependOnClassesThat().resideInAnyPackage("io.vertx..", "reactor..", "org.reactivestreams..",
                    "dev.tidestream.server.scheduler..", "dev.tidestream.server.engine..", "dev.tidestream.server.transport..",
                    "dev.tidestream.server.admin..");

    @ArchTest
    static final ArchRule FILES_BEHIND_THE_REGISTRY = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.adapters..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.adapters.file..");
}
