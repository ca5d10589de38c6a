namespace LangTrain.Training.Data;

/// <summary>The four shapes of canonical rows; a file has rows of one shape.</summary>
public enum RowShape
{
    /// <summary><c>{"messages": […], "tools"?}</c>.</summary>
    Chat,

    /// <summary><c>{"prompt", "completion"}</c>.</summary>
    PromptCompletion,

    /// <summary><c>{"text"}</c>.</summary>
    Text,

    /// <summary><c>{"prompt", "chosen", "rejected"}</c>.</summary>
    Preference,
}
