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
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Projects of others, with the listener before or after what they are made of: each resolves, runs
 * and logs. They see this build in a local repository of its own, which has links to the user's for
 * all else. One Maven resolves them all.
 */
@Tag("programs")
class NeighboursTest {
  private static final Path PROJECTS = Path.of("src", "it", "neighbours");
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();
  private static final String VERSION = System.getProperty("test.version");

  /** The listener in a project's pom, with what is said of it. */
  private static final String OURS = "    <!-- The test also puts it last. -->";

  private static final String END = "</dependency>\n";

  private static final Path FOLDER = Path.of("target", "neighbours").toAbsolutePath();

  @BeforeAll
  static void resolve() throws Exception {
    clear(FOLDER);
    StringBuilder modules = new StringBuilder();
    for (String project : List.of("spark-3.5", "spark-4", "spring-boot")) {
      String first = Files.readString(PROJECTS.resolve(project).resolve("pom.xml"));
      int from = first.indexOf(OURS);
      int to = first.indexOf(END, from) + END.length();
      String ours = first.substring(from, to);
      String last =
          first
              .replace(ours, "")
              .replace("  </dependencies>\n</p", ours + "  </dependencies>\n</p");
      assertThat(last).hasSameSizeAs(first).isNotEqualTo(first);
      add(project, "first", first, modules);
      add(project, "last", last, modules);
    }
    Files.writeString(
        FOLDER.resolve("pom.xml"),
        "<project><modelVersion>4.0.0</modelVersion><groupId>neighbour</groupId>"
            + "<artifactId>all</artifactId><version>1</version><packaging>pom</packaging><modules>"
            + modules
            + "</modules></project>");
    run(
        "mvn",
        "-B",
        "-ntp",
        "-q",
        "-f",
        FOLDER.resolve("pom.xml").toString(),
        "-Dmaven.repo.local=" + repository(),
        "-Dlyapunov4j.version=" + VERSION,
        "org.apache.maven.plugins:maven-dependency-plugin:"
            + System.getProperty("test.dependency-plugin")
            + ":build-classpath",
        "-Dmdep.outputFile=class-path.txt");
  }

  /** Links are deleted, not what they lead to. */
  private static void clear(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
    Files.createDirectories(folder);
  }

  private static void add(String project, String place, String pom, StringBuilder modules)
      throws IOException {
    String name = project + "-" + place;
    Path target = Files.createDirectories(FOLDER.resolve(name)).resolve("pom.xml");
    Files.writeString(
        target, pom.replace("<artifactId>" + project + "<", "<artifactId>" + name + "<"));
    modules.append("<module>").append(name).append("</module>");
  }

  @ParameterizedTest
  @CsvSource({
    "spark-3.5, first, Spark, jackson-databind-2.15.2, slf4j-api-2.0.7",
    "spark-3.5, last, Spark, jackson-databind-2.15.2, slf4j-api-2.0.7",
    "spark-4, first, Spark, jackson-databind-2.21.2, slf4j-api-2.0.17",
    "spark-4, last, Spark, jackson-databind-2.21.2, slf4j-api-2.0.17",
    "spring-boot, first, Boot, , slf4j-api-2",
    "spring-boot, last, Boot, , slf4j-api-2"
  })
  void runsAndLogs(String project, String place, String program, String jackson, String slf4j)
      throws Exception {
    Path own = FOLDER.resolve(project + "-" + place);
    String classPath = Files.readString(own.resolve("class-path.txt")).strip();
    List<String> jars =
        Arrays.stream(classPath.split(File.pathSeparator))
            .map(jar -> Path.of(jar).getFileName().toString())
            .toList();
    assertThat(jars.indexOf("lyapunov4j-dl4j-listener-" + VERSION + ".jar"))
        .matches(at -> place.equals("first") == (at == 0), "the listener is " + place);
    assertThat(jars).filteredOn(jar -> jar.startsWith("slf4j-api")).hasSize(1);
    assertThat(jars).anyMatch(jar -> jar.startsWith(slf4j));
    assertThat(jars)
        .filteredOn(jar -> jar.startsWith("jackson-databind"))
        .allMatch(jar -> jar.startsWith(jackson))
        .hasSize(jackson == null ? 0 : 1);
    compile(classPath, own, program);

    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(System.getProperty("test.spark.args").split(" ")));
    command.addAll(List.of("-Xmx700m", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0"));
    command.addAll(List.of("-cp", own + File.pathSeparator + classPath));
    command.addAll(List.of(program, own.resolve("run.jsonl").toString()));
    assertThat(run(command.toArray(String[]::new)))
        .contains("SUM 12", "CHECKPOINTS 2")
        .containsPattern("INFO.*λ = ")
        .doesNotContain("SLF4J");
  }

  private static void compile(String classPath, Path target, String program) {
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
                target.toString(),
                PROJECTS.resolve("Train.java").toString(),
                PROJECTS.resolve(program + ".java").toString());
    assertThat(status).isZero();
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Path log = Files.createTempFile(FOLDER, "run", ".log");
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
  private static Path repository() throws IOException, URISyntaxException {
    Path user = location(Nd4j.class);
    while (!user.endsWith(Path.of("org", "nd4j"))) {
      user = user.getParent();
    }
    user = user.getParent().getParent();
    Path repository = Files.createDirectories(FOLDER.resolve("repository"));
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
    try (Stream<Path> entries = Files.list(from)) {
      for (Path entry : entries.toList()) {
        if (!entry.endsWith(without)) {
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
      pack(classes, jar);
    }
  }

  private static void pack(Path classes, Path jar) throws IOException {
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
