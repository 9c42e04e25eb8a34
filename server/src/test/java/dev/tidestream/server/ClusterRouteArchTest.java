package dev.tidestream.server;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

/** The import law of routing. */
@AnalyzeClasses(
        packages = "dev.tidestream",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureArchTest.NoTestJars.class})
class ClusterRouteArchTest {

    /** Data in, a node out: so a simulator and a gateway have the same router. */
    @ArchTest
    static final ArchRule ROUTE = classes().that().resideInAPackage("dev.tidestream.server.cluster.route..")
            .should().onlyDependOnClassesThat().resideInAnyPackage(
                    "java..", "org.jspecify..", "dev.tidestream.server.cluster.route..");
}
