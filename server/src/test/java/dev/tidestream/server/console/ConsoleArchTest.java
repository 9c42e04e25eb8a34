package dev.tidestream.server.console;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

@AnalyzeClasses(packages = "dev.tidestream.server", importOptions = ImportOption.DoNotIncludeTests.class)
class ConsoleArchTest {
    @ArchTest
    static final ArchRule KNOWS_ENDPOINTS_ONLY = classes()
            .that().resideInAPackage("dev.tidestream.server.console")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "org.jspecify..", "io.vertx.core..", "dev.tidestream.server.transport.endpoint",
                    "dev.tidestream.server.transport.http", "dev.tidestream.server.console")
            .because("what the page asks for comes as requests of anybody");

    @ArchTest
    static final ArchRule DOCUMENTATION_KNOWS_NO_MORE = classes()
            .that().resideInAPackage("dev.tidestream.server.console.docs")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "org.jspecify..", "org.slf4j..", "io.vertx.core..", "org.commonmark..",
                    "com.fasterxml.jackson.core..", "dev.tidestream.protocol", "dev.tidestream.server.transport.endpoint",
                    "dev.tidestream.server.transport.http", "dev.tidestream.server.console..");

    @ArchTest
    static final ArchRule MARKDOWN_IN_THE_DOCUMENTATION = noClasses()
            .that().resideOutsideOfPackage("dev.tidestream.server.console.docs")
            .should().dependOnClassesThat().resideInAPackage("org.commonmark..");
}
