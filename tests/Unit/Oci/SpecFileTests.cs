// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;

namespace CVisor.Runsc.Oci.Tests;

public sealed class SpecFileTests : IDisposable
{
    private readonly string _bundle = Directory.CreateTempSubdirectory("cvisor-spec-").FullName;

    public void Dispose() => Directory.Delete(_bundle, recursive: true);

    [Fact]
    public void The_template_is_valid()
    {
        OciSpec spec = SpecTemplate.Make(["sh"], "/", "");
        SpecValidator.Validate(spec, "config.json");
    }

    [Theory]
    [InlineData("ociVersion", "null", "ociVersion: is required")]
    [InlineData("ociVersion", "\"2.0.0\"", "ociVersion: \"2.0.0\" is not supported")]
    [InlineData("ociVersion", "\"one\"", "ociVersion: \"one\" is not a version")]
    [InlineData("root", "null", "root: is required")]
    [InlineData("root", "{\"path\":\"\"}", "root.path: must not be empty")]
    [InlineData("process", "null", "process: is required")]
    [InlineData("process.args", "[]", "process.args: must not be empty")]
    [InlineData("process.args", "[\"a\\u0000b\"]", "process.args[0]: must not contain a NUL")]
    [InlineData("process.cwd", "\"\"", "process.cwd: must not be empty")]
    [InlineData("process.cwd", "\"tmp\"", "process.cwd: must be an absolute path")]
    [InlineData("process.selinuxLabel", "\"x\"", "process.selinuxLabel: SELinux is not supported")]
    [InlineData("process.rlimits", "[{\"type\":\"RLIMIT_FOO\"}]", "process.rlimits[0].type: unknown resource limit")]
    [InlineData("process.rlimits", "[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]", "process.rlimits[0].soft: must not be above")]
    [InlineData("process.rlimits", "[{\"type\":\"RLIMIT_CPU\"},{\"type\":\"RLIMIT_CPU\"}]", "process.rlimits[1].type: \"RLIMIT_CPU\" is given twice")]
    [InlineData("process.capabilities", "{\"bounding\":[\"CAP_CHOWN\",\"CAP_FLY\"]}", "process.capabilities.bounding[1]: unknown capability \"CAP_FLY\"")]
    [InlineData("mounts", "[{\"destination\":\"\"}]", "mounts[0].destination: must not be empty")]
    [InlineData("mounts", "[{\"destination\":\"/a\",\"type\":\"bind\"}]", "mounts[0].source: must not be empty")]
    [InlineData("hooks", "{\"poststop\":[{\"path\":\"relative\"}]}", "hooks.poststop[0].path: must be an absolute path")]
    [InlineData("hooks", "{\"prestart\":[{\"path\":\"/bin/true\",\"timeout\":0}]}", "hooks.prestart[0].timeout: must be above zero")]
    [InlineData("linux.namespaces", "[{\"type\":\"space\"}]", "linux.namespaces[0].type: unknown namespace \"space\"")]
    [InlineData("linux.namespaces", "[{\"type\":\"pid\"},{\"type\":\"pid\"}]", "linux.namespaces[1].type: \"pid\" is given twice")]
    [InlineData("linux.uidMappings", "[{\"containerID\":0,\"hostID\":1,\"size\":1}]", "linux.uidMappings: needs a namespace of type \"user\"")]
    [InlineData("linux.maskedPaths", "[\"/a\",\"b\"]", "linux.maskedPaths[1]: must be an absolute path")]
    [InlineData("windows", "{}", "windows: is not supported")]
    [InlineData("solaris", "{}", "solaris: is not supported")]
    public void An_error_names_the_file_and_the_field(string field, string value, string message)
    {
        Write(Changed(field, value));
        Should.Throw<RunscException>(() => SpecFile.ReadBundle(_bundle)).Message.ShouldStartWith($"{_bundle}/config.json: {message}");
    }

    [Fact]
    public void A_value_of_the_wrong_type_is_named()
    {
        Write(Changed("process.cwd", "7"));
        string message = Should.Throw<RunscException>(() => SpecFile.ReadBundle(_bundle)).Message;
        message.ShouldContain("process.cwd");
        message.ShouldContain("line ");
    }

    [Fact]
    public void Broken_JSON_is_told_with_its_line()
    {
        Write("{\n\"ociVersion\": \"1.0.0\",\n oops }");
        Should.Throw<RunscException>(() => SpecFile.ReadBundle(_bundle)).Message.ShouldContain("line 3");
    }

    [Fact]
    public void A_missing_file_or_bundle_is_told()
    {
        Should.Throw<RunscException>(() => SpecFile.ReadBundle(_bundle)).Message.ShouldBe($"{_bundle}/config.json: no such file");
        Should.Throw<RunscException>(() => SpecFile.ReadBundle(_bundle + "x")).Message.ShouldBe($"bundle {_bundle}x: no such directory");
    }

    [Fact]
    public void Unknown_fields_are_no_error()
    {
        Write(Changed("linux.timeOffsets", "{\"monotonic\":{\"secs\":1}}"));
        SpecFile.ReadBundle(_bundle).Process!.Args.ShouldBe(["sh"]);
    }

    private static string Changed(string field, string value)
    {
        JsonNode root = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(SpecTemplate.Make(["sh"], "/", ""), OciJsonContext.Default.OciSpec))!;
        string[] parts = field.Split('.');
        JsonNode at = root;
        foreach (string part in parts[..^1])
        {
            at = at[part] ??= new JsonObject();
        }

        at[parts[^1]] = JsonNode.Parse(value);
        return root.ToJsonString();
    }

    private void Write(string json) => File.WriteAllText(Path.Combine(_bundle, "config.json"), json);
}
