package dev.tidestream.server;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/** The import law of routing, and of what simulates it. */
@AnalyzeClasses(
        packages = "dev.tidestream",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureArchTest.NoTestJars.class})
class ClusterSimArchTest {

    /** Data in, a node out: so a simulator and a gateway have the same router. */
    @ArchTest
    static final ArchRule ROUTE = classes().that().resideInAPackage("dev.tidestream.server.cluster.route..")
            .should().onlyDependOnClassesThat().resideInAnyPackage(
                    "java..", "org.jspecify..", "dev.tidestream.server.cluster.route..");

    /** Who serves measures in one room; tools that measure on their own have histograms, too. */
    @ArchTest
    static final ArchRule HISTOGRAMS_IN_THEIR_ROOMS = noClasses()
            .that().resideOutsideOfPackages("dev.tidestream.server.metrics..", "dev.tidestream.server.bench..")
            .should().dependOnClassesThat().resideInAPackage("org.HdrHistogram..");
}
