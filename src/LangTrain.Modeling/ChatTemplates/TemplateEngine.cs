using Acornima.Ast;
using Jint;
using Jint.Native;
using Jint.Runtime;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>One JavaScript engine with @huggingface/jinja and one parsed template in it. For one thread at a time; <see cref="ChatTemplate"/> pools them.</summary>
/// <remarks>A template comes with a model, so it may be hostile: it has no access to .NET, and time, memory and depth are limited.</remarks>
internal sealed class TemplateEngine : IDisposable
{
    // Far above what a published template needs (a millisecond, a megabyte), far below what would hurt a server.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(5);
    private const long MemoryLimitBytes = 512L << 20;
    private const int RecursionLimit = 256;
    private const string LibraryResource = "LangTrain.Modeling.jinja.cjs";

    private const string Glue = """
        (function (library, source, clock) {
          'use strict';
          const program = new library.Template(source).parsed;
          const constants = {
            true: true, false: false, none: null, True: true, False: false, None: null,
            raise_exception: message => { throw new Error(message); },
            strftime_now: format => clock(format),
            range: (start, stop, step) => {
              if (stop === undefined || typeof stop === 'object') { stop = start; start = 0; }
              if (step === undefined || typeof step === 'object') { step = 1; }
              if (step === 0) { throw new Error('range() step must not be zero'); }
              const numbers = [];
              for (let i = start; step > 0 ? i < stop : i > stop; i += step) { numbers.push(i); }
              return numbers;
            },
          };
          return function (json) {
            try {
              const environment = new library.Environment();
              for (const [name, value] of Object.entries({ ...JSON.parse(json), ...constants })) { environment.set(name, value); }
              return [true, new library.Interpreter(environment).run(program).value];
            } catch (error) {
              return [false, String(error.message)];
            }
          };
        })
        """;

    private static readonly Lazy<Prepared<Script>> Library = new(PrepareLibrary);
    private static readonly Prepared<Script> PreparedGlue = Engine.PrepareScript(Glue);
    private readonly Engine _engine;
    private readonly JsValue _render;

    /// <exception cref="ChatTemplateException">The template does not parse.</exception>
    public TemplateEngine(string source, TimeProvider time)
    {
        _engine = new Engine(options =>
        {
            options.TimeoutInterval(TimeLimit);
            options.LimitMemory(MemoryLimitBytes);
            options.LimitRecursion(RecursionLimit);
            options.RegexTimeoutInterval(TimeLimit);
            options.MaxArraySize(10_000_000);
            options.DisableStringCompilation();
        });
        try
        {
            var library = Run(() => _engine.Evaluate(Library.Value));
            var clock = new Jint.Runtime.Interop.ClrFunction(_engine, "clock", (_, arguments) => Clock(time, arguments));
            _render = Run(() => _engine.Invoke(_engine.Evaluate(PreparedGlue), library, source, clock));
        }
        catch
        {
            _engine.Dispose();
            throw;
        }
    }

    /// <param name="json">The template's variables, one JSON object.</param>
    /// <exception cref="ChatTemplateException">The template raised it, or failed, or used up its limits.</exception>
    public string Render(string json)
    {
        var result = Run(() => _engine.Invoke(_render, json)).AsArray();
        var text = result[1].AsString();
        return result[0].AsBoolean() ? text : throw new ChatTemplateException(text);
    }

    public void Dispose() => _engine.Dispose();

    private static JsString Clock(TimeProvider time, JsValue[] arguments)
    {
        try
        {
            return new JsString(TemplateClock.Format(time.GetLocalNow(), arguments.At(0).ToString()));
        }
        catch (FormatException e)
        {
            throw new ChatTemplateException(e.Message, e);
        }
    }

    private static JsValue Run(Func<JsValue> work)
    {
        try
        {
            return work();
        }
        catch (JavaScriptException e)
        {
            throw new ChatTemplateException($"The chat template cannot be parsed: {e.Message}", e);
        }
        catch (Exception e) when (e is TimeoutException or MemoryLimitExceededException or RecursionDepthOverflowException or InsufficientExecutionStackException
            or StatementsCountOverflowException or System.Text.RegularExpressions.RegexMatchTimeoutException)
        {
            throw new ChatTemplateException($"The chat template uses more than it may: {e.Message}", e);
        }
    }

    private static Prepared<Script> PrepareLibrary()
    {
        using var stream = typeof(TemplateEngine).Assembly.GetManifestResourceStream(LibraryResource) ?? throw new InvalidOperationException($"{LibraryResource} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return Engine.PrepareScript($"(function () {{ const module = {{ exports: {{}} }}; {JinjaCorrections.Apply(reader.ReadToEnd())}\nreturn module.exports; }})()");
    }
}
