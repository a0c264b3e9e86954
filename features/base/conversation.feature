@chat
Feature: Conversation
  A model has no memory: it knows what the client sends again. So the server must read the whole conversation, in order.

  Scenario: A short question is understood from what was said before, <delivery>
    Given replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    When I continue with "And of Germany?"
    Then the reply mentions "Berlin"
    When I continue with "And of Italy?"
    Then the reply mentions "Rome"
    When I continue with "And of Japan?"
    Then the reply mentions "Tokyo"

  @W047
  Scenario: A fact of the first turn is recalled in the fourth
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    When I continue with "And of Germany?"
    Then the reply mentions "Berlin"
    When I continue with "And of Italy?"
    Then the reply mentions "Rome"
    When I continue with "Which was the first city that you named?"
    Then the reply mentions "Paris"
    And the reply does not mention "Rome"

  @W047
  Scenario: The first question is recalled in the third turn, <delivery>
    Given replies are <delivery>
    When I ask "What is the capital of Japan?"
    Then the reply mentions "Tokyo"
    When I continue with "And of Italy?"
    Then the reply mentions "Rome"
    When I continue with "What was my first question?"
    Then the reply mentions "the capital of Japan"

  Scenario: What the user told is remembered beside another topic, <delivery>
    Given replies are <delivery>
    And at most 24 tokens
    And the conversation:
      | role      | content                       |
      | user      | My dog is called Rex.         |
      | assistant | Rex is a nice name for a dog. |
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    When I continue with "What is the name of my dog?"
    Then the reply mentions "Rex"

  Scenario: A number is kept over a turn about something else
    Given at most 24 tokens
    When I ask "Remember the number 42."
    Then the reply mentions "42"
    When I continue with "What is the capital of France?"
    Then the reply mentions "Paris"
    When I continue with "Which number did I ask you to remember?"
    Then the reply mentions "42"

  Scenario: A word that was told is told again
    Given at most 12 tokens
    When I ask "The secret word is banana."
    Then the reply is not empty
    When I continue with "What is the secret word?"
    Then the reply mentions "banana"

  Scenario: A new conversation knows nothing of the last
    Given at most 16 tokens
    When I ask "My dog is called Rex."
    Then the reply is not empty
    When I ask "What is the name of my dog?"
    Then the reply is not empty
    And the reply does not mention "Rex"

  Scenario: A conversation can start in the middle
    Given the conversation:
      | role      | content                           |
      | user      | What is the capital of France?    |
      | assistant | The capital of France is Paris.   |
      | user      | And of Germany?                   |
      | assistant | The capital of Germany is Berlin. |
    When I ask "And of Italy?"
    Then the reply mentions "Rome"
    And the prompt tokens are at least 60

  Scenario: What the assistant is said to have said counts
    Given at most 12 tokens
    And the conversation:
      | role      | content               |
      | user      | My dog is called Rex. |
      | assistant | Rex is a nice name.   |
    When I ask "What is the name of my dog?"
    Then the reply mentions "Rex"
