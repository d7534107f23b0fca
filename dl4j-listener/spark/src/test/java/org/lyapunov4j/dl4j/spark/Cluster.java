// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;

/**
 * A home of Spark made of the jars of the test, which Maven resolved to one version each, and the
 * processes that a cluster needs.
 */
final class Cluster implements AutoCloseable {
  private final Path home = Path.of(System.getenv("SPARK_HOME"));
  private final Path folder;
  private final List<Process> processes = new ArrayList<>();

  /**
   * A cluster of nothing yet.
   *
   * @param folder for logs and work
   */
  Cluster(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
    Path jars = Files.createDirectories(home.resolve("jars"));
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path file = Path.of(entry).toAbsolutePath();
      Path link = jars.resolve(file.getFileName().toString());
      if (Files.isRegularFile(file) && !Files.exists(link)) {
        Files.createSymbolicLink(link, file);
      }
    }
  }

  /** The class folders of this build. */
  private static String classes() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> Files.isDirectory(Path.of(entry)))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .reduce((a, b) -> a + File.pathSeparator + b)
        .orElse("");
  }

  SparkConf configuration(String master) {
    return new SparkConf()
        .setMaster(master)
        .setAppName("test")
        .setSparkHome(home.toString())
        .set("spark.ui.enabled", "false")
        .set("spark.driver.host", "127.0.0.1")
        .set("spark.driver.bindAddress", "127.0.0.1")
        .set("spark.executor.memory", "700m")
        .set("spark.executor.extraClassPath", classes())
        .set("spark.executor.extraJavaOptions", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0")
        .set("spark.executorEnv.OMP_NUM_THREADS", "1");
  }

  /** A driver in a process of its own. */
  Process driver(Path log, String... args) throws IOException {
    return start(SparkMain.class.getName(), log, "700m", List.of(args));
  }

  /** Starts a master on a port of this machine and workers of one core. */
  String standalone(int port, int workers) throws IOException {
    String loopback = "127.0.0.1";
    start(
        "org.apache.spark.deploy.master.Master",
        folder.resolve("master.log"),
        "300m",
        List.of("--host", loopback, "--port", "" + port, "--webui-port", "0"));
    for (int i = 0; i < workers; i++) {
      start(
          "org.apache.spark.deploy.worker.Worker",
          folder.resolve("worker-" + i + ".log"),
          "300m",
          List.of(
              "--host",
              loopback,
              "--webui-port",
              "0",
              "--cores",
              "1",
              "--memory",
              "1g",
              "--work-dir",
              folder.resolve("work-" + i).toString(),
              "spark://" + loopback + ":" + port));
    }
    return "spark://" + loopback + ":" + port;
  }

  private Process start(String mainClass, Path log, String heap, List<String> args)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx" + heap);
    command.add("-Dorg.bytedeco.javacpp.maxphysicalbytes=0");
    command.add("-Dspark.master=local[1]");
    command.add("-Dspark.ui.enabled=false");
    command.addAll(List.of(System.getProperty("test.spark.args").split(" ")));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
    command.addAll(args);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(log.toFile());
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  /** The executors of a local cluster, which are the only processes that its driver starts. */
  static List<ProcessHandle> executors() {
    return ProcessHandle.current().children().toList();
  }

  @Override
  public void close() {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().onExit().join();
    }
  }
}
