using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>The variables of one block, over those of the block around it. Where a block is entered again (an iteration, a call) it gets a fresh one.</summary>
internal sealed class Scope(Scope? parent)
{
    private readonly Dictionary<string, object?> _variables = [];

    public Scope Inner() => new(this);

    public void Set(string name, object? value) => _variables[name] = value;

    /// <returns>The innermost variable of that name, or <see cref="Undefined"/>.</returns>
    public object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._variables.TryGetValue(name, out var value)) return value;
        }
        return new Undefined($"'{name}' is undefined");
    }

    private Scope? Parent { get; } = parent;
}

/// <summary>How a statement ended.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A part of a template that writes.</summary>
internal abstract class Statement
{
    public abstract Flow Run(Scope scope, StringBuilder output);

    public static Flow Run(IReadOnlyList<Statement> body, Scope scope, StringBuilder output)
    {
        foreach (var statement in body)
        {
            RenderLimits.Current.Visit();
            if (statement.Run(scope, output) is var flow and not Flow.Next) return flow;
        }
        return Flow.Next;
    }

    /// <summary>What the statements write, as a text.</summary>
    public static string Capture(IReadOnlyList<Statement> body, Scope scope)
    {
        var output = new StringBuilder();
        Run(body, scope, output);
        RenderLimits.Current.Take(output.Length);
        return output.ToString();
    }
}

/// <summary>Text between tags.</summary>
internal sealed class DataStatement(string text) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        RenderLimits.Current.Take(text.Length);
        output.Append(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ … }}</c></summary>
internal sealed class PrintStatement(Expression expression) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        var text = PythonValue.Text(expression.Evaluate(scope));
        RenderLimits.Current.Take(text.Length);
        output.Append(text);
        return Flow.Next;
    }
}

/// <summary><c>{% if %} … {% elif %} … {% else %}</c>: the first branch whose test holds; a test of null always does.</summary>
internal sealed class IfStatement(IReadOnlyList<(Expression? Test, IReadOnlyList<Statement> Body)> branches) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        foreach (var (test, body) in branches)
        {
            if (test is null || PythonValue.IsTrue(test.Evaluate(scope))) return Run(body, scope, output);
        }
        return Flow.Next;
    }
}

/// <summary><c>break</c> and <c>continue</c>.</summary>
internal sealed class JumpStatement(Flow flow) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output) => flow;
}

/// <summary><c>{% set a = … %}</c>, or, without a value, the text of its body through filters.</summary>
internal sealed class SetStatement(Target target, Expression? value, IReadOnlyList<Statement> body, Func<Expression, Expression>? filters) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        var result = value is not null ? value.Evaluate(scope) : Capture(body, scope.Inner());
        target.Assign(scope, filters is null ? result : filters(new Constant(result)).Evaluate(scope));
        return Flow.Next;
    }
}

/// <summary><c>{% with a = … %}</c>; with no variables also what only marks a block (<c>generation</c>).</summary>
internal sealed class WithStatement(IReadOnlyList<(Target Target, Expression Value)> variables, IReadOnlyList<Statement> body) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        var inner = scope.Inner();
        foreach (var (target, value) in variables) target.Assign(inner, value.Evaluate(scope));
        return Run(body, inner, output);
    }
}

/// <summary><c>{% filter … %}</c></summary>
internal sealed class FilterStatement(Func<Expression, Expression> filters, IReadOnlyList<Statement> body) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        output.Append(PythonValue.Text(filters(new Constant(Capture(body, scope.Inner()))).Evaluate(scope)));
        return Flow.Next;
    }
}

/// <summary><c>{% for … %}</c></summary>
internal sealed class ForStatement(Target target, Expression items, Expression? test, bool isRecursive, IReadOnlyList<Statement> body, IReadOnlyList<Statement> otherwise) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output) => Loop(scope, items.Evaluate(scope), depth: 0, output);

    private Flow Loop(Scope scope, object? iterable, int depth, StringBuilder output)
    {
        var all = new List<object?>();
        foreach (var item in PythonValue.Iterate(iterable))
        {
            RenderLimits.Current.Step();
            RenderLimits.Current.Take(1);
            if (test is not null)
            {
                var inner = scope.Inner();
                target.Assign(inner, item);
                if (!PythonValue.IsTrue(test.Evaluate(inner))) continue;
            }
            all.Add(item);
        }
        Func<object?, string>? recurse = isRecursive ? inner => Recurse(scope, inner, depth + 1) : null;
        var loop = new LoopVariable(all, depth, recurse);
        foreach (var item in all)
        {
            var inner = scope.Inner();
            inner.Set("loop", loop);
            target.Assign(inner, item);
            if (Run(body, inner, output) == Flow.Break) break;
            loop.Advance();
        }
        return all.Count == 0 ? Run(otherwise, scope.Inner(), output) : Flow.Next;
    }

    private string Recurse(Scope scope, object? iterable, int depth)
    {
        RenderLimits.Current.Enter();
        var output = new StringBuilder();
        Loop(scope, iterable, depth, output);
        RenderLimits.Current.Leave();
        return output.ToString();
    }
}

/// <summary><c>{% macro … %}</c></summary>
internal sealed class MacroStatement(string name, MacroBody body) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        scope.Set(name, body.Bind(name, scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call … %}</c>: calls a macro that finds the block's text in <c>caller()</c>.</summary>
internal sealed class CallStatement(CallExpression call, MacroBody body) : Statement
{
    public override Flow Run(Scope scope, StringBuilder output)
    {
        output.Append(PythonValue.Text(call.Evaluate(scope, KeyValuePair.Create("caller", (object?)body.Bind("caller", scope)))));
        return Flow.Next;
    }
}

/// <summary>Parameters and statements of a macro or a call block.</summary>
/// <param name="Parameters">Names, each with its default or null.</param>
/// <param name="Statements">What it writes.</param>
/// <param name="Names">The names that it looks at: <c>varargs</c> and <c>kwargs</c> among them let it take more arguments than it has parameters.</param>
internal sealed record MacroBody(IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Statements, IReadOnlySet<string> Names)
{
    /// <summary>The macro as a value; it sees the variables where it is written, as they are when it is called.</summary>
    public JinjaFunction Bind(string name, Scope scope) => new(name, arguments => Call(name, scope, arguments)) { IsMacro = true };

    private string Call(string name, Scope around, JinjaArguments arguments)
    {
        var scope = around.Inner();
        var named = arguments.Named.ToDictionary(argument => argument.Key, argument => argument.Value);
        for (var i = 0; i < Parameters.Count; i++)
        {
            var (parameter, byDefault) = Parameters[i];
            if (i < arguments.Positional.Count)
            {
                if (named.ContainsKey(parameter)) throw new ChatTemplateException($"macro '{name}' got multiple values for argument '{parameter}'");
                scope.Set(parameter, arguments.Positional[i]);
            }
            else if (named.Remove(parameter, out var value)) scope.Set(parameter, value);
            else scope.Set(parameter, byDefault is null ? new Undefined($"parameter '{parameter}' was not provided") : byDefault.Evaluate(scope));
        }
        if (named.Remove("caller", out var caller)) scope.Set("caller", caller);
        else if (Names.Contains("caller")) scope.Set("caller", new Undefined("No caller defined"));
        if (Names.Contains("varargs")) scope.Set("varargs", new PythonList([.. arguments.Positional.Skip(Parameters.Count)], SequenceKind.Tuple));
        else if (arguments.Positional.Count > Parameters.Count) throw new ChatTemplateException($"macro '{name}' takes not more than {Parameters.Count} argument(s)");
        if (Names.Contains("kwargs"))
        {
            var rest = new PythonDict();
            foreach (var (key, value) in named) rest[key] = value;
            scope.Set("kwargs", rest);
        }
        else if (named.Keys.FirstOrDefault() is { } unknown) throw new ChatTemplateException($"macro '{name}' takes no keyword argument '{unknown}'");
        RenderLimits.Current.Enter();
        var text = Statement.Capture(Statements, scope);
        RenderLimits.Current.Leave();
        return text;
    }
}
