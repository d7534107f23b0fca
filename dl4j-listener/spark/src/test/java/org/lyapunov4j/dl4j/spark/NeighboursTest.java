// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Projects of others, with the listener before or after what they are made of: each resolves, runs
 * and logs. They see this build's artifacts in a local repository of their own, which links to the
 * user's for all else.
 */
@Tag("programs")
class NeighboursTest {
  private static final Path PROJECTS = Path.of("src", "it", "neighbours");
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();
  private static final String VERSION = "0.1.0-SNAPSHOT";

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "spark-3.5, Spark, first", "spark-3.5, Spark, last",
    "spark-4, Spark, first", "spark-4, Spark, last",
    "boot, Boot, first", "boot, Boot, last"
  })
  void resolvesRunsAndLogs(String project, String program, String place) throws Exception {
    Path repository = repository();
    String pom = Files.readString(PROJECTS.resolve(project + ".xml"));
    String ours =
        "<dependency><groupId>org.lyapunov4j</groupId>"
            + "<artifactId>lyapunov4j-dl4j-listener</artifactId><version>"
            + VERSION
            + "</version></dependency>";
    Files.writeString(folder.resolve("pom.xml"), pom.replace("<!-- " + place + " -->", ours));
    Path path = folder.resolve("class-path.txt");
    String resolved =
        run(
            "mvn",
            "-B",
            "-ntp",
            "-q",
            "-f",
            folder.resolve("pom.xml").toString(),
            "-Dmaven.repo.local=" + repository,
            "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath",
            "-Dmdep.outputFile=" + path);
    assertThat(path).as(resolved).exists();
    String classPath = Files.readString(path).strip();
    compile(classPath, program);

    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(System.getProperty("test.spark.args").split(" ")));
    command.add("-Dorg.bytedeco.javacpp.maxphysicalbytes=0");
    command.addAll(List.of("-cp", folder + File.pathSeparator + classPath));
    command.addAll(List.of(program, folder.resolve("run.jsonl").toString()));
    assertThat(run(command.toArray(String[]::new)))
        .contains("SUM 12", "CHECKPOINTS 2")
        .containsPattern("LyapunovListener.*λ = ")
        .doesNotContain("SLF4J");
  }

  private void compile(String classPath, String program) {
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-cp",
                classPath,
                "-d",
                folder.toString(),
                PROJECTS.resolve("Train.java").toString(),
                PROJECTS.resolve(program + ".java").toString());
    assertThat(status).isZero();
  }

  private String run(String... command) throws IOException, InterruptedException {
    Path log = Files.createTempFile(folder, "run", ".log");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(log.toFile());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("OMP_NUM_THREADS", "1");
    int status = builder.start().waitFor();
    String text = Files.readString(log);
    assertThat(status).as(text).isZero();
    return text;
  }

  /** The user's local repository by links, and what this build would install. */
  private Path repository() throws IOException, URISyntaxException {
    Path jar = location(Nd4j.class);
    Path user = jar;
    while (!user.endsWith(Path.of("org"))) {
      user = user.getParent();
    }
    user = user.getParent();
    Path repository = Files.createDirectories(folder.resolve("repository"));
    link(user, repository, "org");
    link(user.resolve("org"), Files.createDirectories(repository.resolve("org")), "lyapunov4j");
    install(repository, "lyapunov4j-parent", ROOT.resolve("pom.xml"), null);
    install(repository, "lyapunov4j-bom", ROOT.resolve("dl4j-listener/bom/pom.xml"), null);
    install(
        repository, "lyapunov4j-core", ROOT.resolve("core/pom.xml"), location(GramMatrix.class));
    install(
        repository,
        "lyapunov4j-dl4j-listener",
        ROOT.resolve("dl4j-listener/pom.xml"),
        location(LyapunovListener.class));
    return repository;
  }

  private static void link(Path from, Path to, String without) throws IOException {
    Set<String> left = Set.of(without);
    try (Stream<Path> entries = Files.list(from)) {
      for (Path entry : entries.toList()) {
        if (!left.contains(entry.getFileName().toString())) {
          Files.createSymbolicLink(to.resolve(entry.getFileName()), entry);
        }
      }
    }
  }

  private static Path location(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static void install(Path repository, String artifact, Path pom, Path classes)
      throws IOException {
    Path target =
        Files.createDirectories(
            repository.resolve(Path.of("org", "lyapunov4j", artifact, VERSION)));
    Files.copy(pom, target.resolve(artifact + "-" + VERSION + ".pom"));
    Path jar = target.resolve(artifact + "-" + VERSION + ".jar");
    if (classes != null && Files.isRegularFile(classes)) {
      Files.copy(classes, jar);
    } else if (classes != null) {
      try (OutputStream stream = Files.newOutputStream(jar);
          JarOutputStream archive = new JarOutputStream(stream);
          Stream<Path> files = Files.walk(classes)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          archive.putNextEntry(
              new JarEntry(classes.relativize(file).toString().replace(File.separatorChar, '/')));
          Files.copy(file, archive);
        }
      }
    }
  }
}
