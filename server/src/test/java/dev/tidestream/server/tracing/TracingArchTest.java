package dev.tidestream.server.tracing;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/** What this room may know, and who may know OpenTelemetry. */
@AnalyzeClasses(packages = "dev.tidestream.server", importOptions = ImportOption.DoNotIncludeTests.class)
class TracingArchTest {
    @ArchTest
    static final ArchRule TRACING = classes().that().resideInAPackage("dev.tidestream.server.tracing..")
            .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", "org.slf4j..", "io.opentelemetry..",
                    "dev.tidestream.protocol", "dev.tidestream.server.tracing..");

    /** What is handed from room to room is ours; {@code app} asks what the process has. */
    @ArchTest
    static final ArchRule OPENTELEMETRY_IN_ITS_ROOM = noClasses()
            .that().resideOutsideOfPackages("dev.tidestream.server.tracing..", "dev.tidestream.server.app..")
            .should().dependOnClassesThat().resideInAPackage("io.opentelemetry..");
}
