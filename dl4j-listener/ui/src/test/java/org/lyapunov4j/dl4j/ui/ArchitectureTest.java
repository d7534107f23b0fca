// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.lyapunov4j", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule nothingElseKnowsTheTrainingUi =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.lyapunov4j.dl4j.ui..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.lyapunov4j.dl4j.ui..", "org.deeplearning4j.ui..", "io.vertx..");

  @ArchTest
  static final ArchRule thePageKnowsCheckpointsAndNotHowTheyAreMade =
      noClasses()
          .that()
          .resideInAPackage("org.lyapunov4j.dl4j.ui..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.lyapunov4j.dl4j",
              "org.lyapunov4j.dl4j.gram..",
              "org.lyapunov4j.dl4j.metrics..",
              "org.lyapunov4j.gram..",
              "io.micrometer..");

  @ArchTest
  static final ArchRule noJavaSerialisation =
      noClasses()
          .that()
          .resideInAPackage("org.lyapunov4j.dl4j.ui..")
          .should()
          .dependOnClassesThat()
          .haveNameMatching("java\\.io\\.Object(Input|Output)Stream");
}
