using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>What one rendering may use up. A template comes with a model, so it may be hostile. For one thread.</summary>
internal sealed class RenderLimits
{
    // Far above what a published template needs (less than a millisecond, a megabyte), far below what would hurt a server.
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(5);
    private const long MaxCharacters = 64L << 20;
    private const int MaxDepth = 200;

    [ThreadStatic]
    private static RenderLimits? s_current;

    private readonly long _start = Stopwatch.GetTimestamp();
    private long _characters;
    private int _steps;
    private int _depth;

    /// <summary>Those of the rendering that this thread is in.</summary>
    public static RenderLimits Current => s_current ?? throw new InvalidOperationException("Nothing is rendered in this thread.");

    /// <summary>Renders within these limits.</summary>
    public void Run(Action render)
    {
        var before = s_current;
        s_current = this;
        try
        {
            render();
        }
        finally
        {
            s_current = before;
        }
    }

    /// <summary>Counts one step, which may lie within others: of an expression, or of a value that holds values.</summary>
    /// <exception cref="ChatTemplateException">The time is over, or they are nested too deep.</exception>
    public void Visit()
    {
        Step();
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Exceeded("depth");
    }

    /// <summary>Counts one step.</summary>
    /// <exception cref="ChatTemplateException">The time is over.</exception>
    public void Step()
    {
        if ((++_steps & 1023) == 0 && Stopwatch.GetElapsedTime(_start) > MaxTime) throw Exceeded("time");
    }

    /// <summary>Counts characters, or places of lists, that are about to be made.</summary>
    /// <exception cref="ChatTemplateException">They are too many.</exception>
    public void Take(long count)
    {
        if (count < 0 || (_characters += count) > MaxCharacters) throw Exceeded("memory");
    }

    /// <summary>Goes into a macro or a loop that calls itself.</summary>
    /// <exception cref="ChatTemplateException">They are nested too deep.</exception>
    public void Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Exceeded("depth");
    }

    public void Leave() => _depth--;

    private static ChatTemplateException Exceeded(string what) => new($"The chat template uses more than it may: {what}.");
}
