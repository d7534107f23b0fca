// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(
    packages = "org.lyapunov4j.samples.firststeps",
    importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule programsStandAlone =
      classes()
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "org.nd4j..",
              "org.deeplearning4j..",
              "io.micrometer.core.instrument..",
              "org.lyapunov4j.dl4j..",
              "org.lyapunov4j.samples.firststeps..")
          .because("whoever copies one has the library and Deeplearning4j, and nothing else");
}
