package dev.tidestream.server.console;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

@AnalyzeClasses(packages = "dev.tidestream.server.console", importOptions = ImportOption.DoNotIncludeTests.class)
class ConsoleArchTest {
    @ArchTest
    static final ArchRule KNOWS_ENDPOINTS_ONLY = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "org.jspecify..", "io.vertx.core..", "dev.tidestream.server.transport.endpoint",
                    "dev.tidestream.server.transport.http", "dev.tidestream.server.console")
            .because("what the page asks for comes as requests of anybody");
}
