package dev.tidestream.loadtest;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

@AnalyzeClasses(packages = "dev.tidestream.loadtest", importOptions = ImportOption.DoNotIncludeTests.class)
class LoadtestArchTest {
    @ArchTest
    static final ArchRule KNOWS_THE_PROTOCOL_ONLY = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "com.fasterxml.jackson.core..", "org.jspecify..", "picocli..",
                    "dev.tidestream.protocol", "dev.tidestream.loadtest")
            .because("it judges the server from outside");
}
